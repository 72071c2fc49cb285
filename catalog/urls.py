"""Routes of suppliers and products."""

from catalog.views import ProductViewSet, SupplierViewSet
from marketplace.api.routers import resource_urls

urlpatterns = resource_urls(suppliers=SupplierViewSet, products=ProductViewSet)
