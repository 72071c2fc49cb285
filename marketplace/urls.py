"""All routes: the domain apps' resources, the service's own, the API documents, the admin."""

from django.contrib import admin
from django.urls import include, path, re_path

from marketplace.api.errors import unknown_url
from marketplace.api.health import HealthView, IndexView, ReadinessView
from marketplace.api.openapi.views import RedocView, SchemaView, SwaggerView

urlpatterns = [
    path("", IndexView.as_view()),
    path("health", HealthView.as_view()),
    path("health/ready", ReadinessView.as_view()),
    path("", include("marketplace.auth.urls")),
    path("", include("users.urls")),
    path("", include("catalog.urls")),
    path("", include("orders.urls")),
    path("", include("content.urls")),
    path("", include("analytics.urls")),
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SwaggerView.as_view()),
    path("redoc", RedocView.as_view()),
    path("admin/", admin.site.urls),
    re_path(r"^(?!admin/)", unknown_url),  # before Django's debug page,
]

handler404 = "marketplace.api.errors.not_found"
handler400 = "marketplace.api.errors.bad_request"
handler500 = "marketplace.api.errors.server_error"
