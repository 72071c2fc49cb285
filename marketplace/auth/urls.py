"""Routes of accounts' tokens."""

from django.urls import path

from marketplace.auth.views import RefreshView, RevokeView, TokenView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("auth/refresh", RefreshView.as_view()),
    path("auth/revoke", RevokeView.as_view()),
]
