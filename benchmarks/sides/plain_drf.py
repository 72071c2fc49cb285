"""The comparison service on plain Django REST framework: serializers over MongoEngine objects, without our hot path.

The project's documents, written-out serializers, DRF's own JSON renderer, no authentication, no middleware.
"""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    APPEND_SLASH=False,
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["rest_framework"],
    MONGODB_URL=os.environ["MONGODB_URL"],
    DATABASE_NAME=os.environ["DATABASE_NAME"],
    MONGODB_TIMEOUT_MS=3000,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from typing import Any  # noqa: E402  # DRF reads the settings when it is imported

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import Http404  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from catalog.documents import Product  # noqa: E402
from marketplace import mongo  # noqa: E402

VISIBLE = ["active", "out_of_stock", "discontinued"]


class SupplierInfoSerializer(serializers.Serializer):
    name = serializers.CharField()


class TopicSerializer(serializers.Serializer):
    topic = serializers.CharField()
    description = serializers.CharField()
    display_order = serializers.IntegerField()


class MetadataSerializer(serializers.Serializer):
    base_sku = serializers.CharField()
    brand = serializers.CharField()


class ImageSerializer(serializers.Serializer):
    url = serializers.CharField()
    alt_text = serializers.CharField()
    order = serializers.IntegerField()
    is_primary = serializers.BooleanField()


class StockLocationSerializer(serializers.Serializer):
    location_name = serializers.CharField()
    street_address = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    zip_code = serializers.CharField()
    country = serializers.CharField()
    quantity = serializers.IntegerField()


class AttributeSerializer(serializers.Serializer):
    attribute_name = serializers.CharField()
    attribute_value = serializers.CharField()


class DimensionsSerializer(serializers.Serializer):
    width_cm = serializers.FloatField()
    height_cm = serializers.FloatField()
    depth_cm = serializers.FloatField()


class VariantSerializer(serializers.Serializer):
    variant_id = serializers.CharField()
    variant_name = serializers.CharField()
    attributes = AttributeSerializer(many=True)
    price_cents = serializers.IntegerField()
    cost_cents = serializers.ReadOnlyField(default=None, source="not_for_the_public")
    quantity = serializers.IntegerField()
    package_dimensions = DimensionsSerializer()
    image_url = serializers.CharField()


class StatsSerializer(serializers.Serializer):
    view_count = serializers.IntegerField()
    favorite_count = serializers.IntegerField()
    purchase_count = serializers.IntegerField()
    total_reviews = serializers.IntegerField()


class ProductSerializer(serializers.Serializer):
    id = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    supplier_id = serializers.CharField()
    supplier_info = SupplierInfoSerializer()
    name = serializers.CharField()
    short_description = serializers.CharField()
    topic_descriptions = TopicSerializer(many=True)
    category = serializers.CharField()
    unit_type = serializers.CharField()
    metadata = MetadataSerializer()
    images = ImageSerializer(many=True)
    stock_locations = StockLocationSerializer(many=True)
    variants = serializers.DictField(child=VariantSerializer())
    base_price_cents = serializers.IntegerField()
    stats = StatsSerializer()
    status = serializers.CharField()
    published_at = serializers.DateTimeField()


class ProductView(APIView):
    def get(self, _request: Request, product_id: str) -> Response:
        product = Product.objects(id=product_id, status__in=VISIBLE).first()
        if product is None:
            raise Http404
        return Response(ProductSerializer(product).data)


class ProductListView(APIView):
    def get(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", "20"))
        products: Any = Product.objects(status__in=VISIBLE).order_by("-created_at", "-id").limit(limit)
        return Response(ProductSerializer(products, many=True).data)


urlpatterns = [path("products", ProductListView.as_view()), path("products/<str:product_id>", ProductView.as_view())]
mongo.connect()
application = get_wsgi_application()
