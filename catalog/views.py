"""The suppliers and products resources."""

from collections.abc import Sequence
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import services
from catalog.documents import Product, Supplier
from catalog.serializers import (
    ProductCreateSerializer,
    ProductQuery,
    ProductUpdateSerializer,
    SupplierCreateSerializer,
    SupplierUpdateSerializer,
)
from marketplace.api.preconditions import VersionSerializer
from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import Body, EditableResourceViewSet
from marketplace.mongo import Readable, Stored
from marketplace.pages import Page


class SupplierViewSet(EditableResourceViewSet):
    document = Supplier
    is_versioned_whole = False  # product_ids
    create_serializer_class = SupplierCreateSerializer
    update_serializer_class = SupplierUpdateSerializer

    def perform_list(self, query: Query) -> Page:
        return services.supplier_list(**query)

    def perform_create(self, changes: Changes) -> Stored:
        return services.supplier_create(password=changes.pop("password"), changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        return services.supplier_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        services.supplier_delete(**target)

    def bodies(self, stored: Sequence[Readable]) -> Sequence[Body]:
        """Add the products' ids, which are not stored with their supplier."""
        product_ids = services.product_ids([one["_id"] for one in stored])
        return [body | {"product_ids": product_ids.get(body["id"], [])} for body in super().bodies(stored)]


class ProductViewSet(EditableResourceViewSet):
    document = Product
    create_serializer_class = ProductCreateSerializer
    update_serializer_class = ProductUpdateSerializer
    query_serializer_class = ProductQuery

    def perform_list(self, query: Query) -> Page:
        return services.product_list(caller=self.caller, **query)

    def perform_create(self, changes: Changes) -> Stored:
        supplier_id = changes.pop("supplier_id", None)
        return services.product_create(caller=self.caller, supplier_id=supplier_id, changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        return services.product_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        services.product_delete(**target)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer)
    def publish(self, request: Request, id: str) -> Response:  # noqa: ARG002
        return self.transition(services.product_publish, id)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer)
    def discontinue(self, request: Request, id: str) -> Response:  # noqa: ARG002
        return self.transition(services.product_discontinue, id)

    @action(detail=True, methods=["post"], url_path="mark-out-of-stock", serializer_class=VersionSerializer)
    def mark_out_of_stock(self, request: Request, id: str) -> Response:  # noqa: ARG002
        return self.transition(services.product_mark_out_of_stock, id)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer)
    def restore(self, request: Request, id: str) -> Response:  # noqa: ARG002
        return self.transition(services.product_restore, id)
