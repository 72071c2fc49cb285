"""Routes of orders."""

from marketplace.api.routers import resource_urls
from orders.views import OrderViewSet

urlpatterns = resource_urls(orders=OrderViewSet)
