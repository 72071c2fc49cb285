"""Routes of posts."""

from content.views import PostViewSet
from marketplace.api.routers import resource_urls

urlpatterns = resource_urls(posts=PostViewSet)
