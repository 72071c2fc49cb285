"""All routes: the domain apps' resources, the service's own, the API documents, the admin."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from marketplace.api.errors import unknown_url
from marketplace.api.health import HealthView, IndexView, ReadinessView

urlpatterns = [
    path("", IndexView.as_view()),
    path("health", HealthView.as_view()),
    path("health/ready", ReadinessView.as_view()),
    path("", include("marketplace.auth.urls")),
    path("", include("users.urls")),
    path("", include("catalog.urls")),
    path("", include("orders.urls")),
    path("", include("content.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("redoc", SpectacularRedocView.as_view(url_name="schema")),
    path("admin/", admin.site.urls),
    re_path(r"^(?!admin/)", unknown_url),  # before Django's debug page,
]

handler400 = "marketplace.api.errors.bad_request"
handler500 = "marketplace.api.errors.server_error"
