"""Routes of users."""

from marketplace.api.routers import resource_urls
from users.views import UserViewSet

urlpatterns = resource_urls(users=UserViewSet)
