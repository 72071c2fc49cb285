"""URLs of resource viewsets: no prefix, no trailing slash."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from marketplace.api.viewsets import ResourceViewSet


def resource_urls(**resources: type[ResourceViewSet]) -> list[URLPattern | URLResolver]:
    """Return the routes of each viewset under its name."""
    router = SimpleRouter(trailing_slash=False, use_regex_path=False)
    for name, viewset in resources.items():
        router.register(name, viewset, basename=name)
    return list(router.urls)
