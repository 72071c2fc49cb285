"""The suppliers and products resources."""

from collections.abc import Sequence
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import examples, services
from catalog.documents import Product, Supplier
from catalog.serializers import (
    ProductCreateSerializer,
    ProductQuery,
    ProductUpdateSerializer,
    SupplierCreateSerializer,
    SupplierUpdateSerializer,
)
from marketplace.api.openapi.routes import may_answer
from marketplace.api.preconditions import VersionSerializer
from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import Body, EditableResourceViewSet
from marketplace.errors import DuplicateError, StateConflictError
from marketplace.mongo import Readable, Stored
from marketplace.pages import Page


class SupplierViewSet(EditableResourceViewSet):
    document = Supplier
    is_versioned_whole = False  # product_ids
    create_serializer_class = SupplierCreateSerializer
    update_serializer_class = SupplierUpdateSerializer
    example = examples.SUPPLIER
    created_example = examples.NEW_SUPPLIER
    changed_example = examples.CHANGED_SUPPLIER

    def perform_list(self, query: Query) -> Page:
        """Oldest first."""
        return services.supplier_list(**query)

    @may_answer(DuplicateError)
    def perform_create(self, changes: Changes) -> Stored:
        """Sign up as a supplier. Log in with `POST /auth/token` then. Sends `supplier.created`."""
        return services.supplier_create(password=changes.pop("password"), changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        """Change what the body names and leave the rest. Sends `supplier.updated`."""
        return services.supplier_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        """Remove the account for good, and its products with it.

        Sends `product.deleted` for each product, then `supplier.deleted`. Its tokens stop working.
        """
        services.supplier_delete(**target)

    def bodies(self, stored: Sequence[Readable]) -> Sequence[Body]:
        """Add the products' ids, which are not stored with their supplier."""
        product_ids = services.product_ids([one["_id"] for one in stored])
        return [body | {"product_ids": product_ids.get(body["id"], [])} for body in super().bodies(stored)]


class ProductViewSet(EditableResourceViewSet):
    document = Product
    create_serializer_class = ProductCreateSerializer
    update_serializer_class = ProductUpdateSerializer
    example = examples.PRODUCT
    changed_example = examples.CHANGED_PRODUCT
    query_serializer_class = ProductQuery

    def perform_list(self, query: Query) -> Page:
        """Newest first. Deleted ones are left out, and so are drafts of others."""
        return services.product_list(caller=self.caller, **query)

    def perform_create(self, changes: Changes) -> Stored:
        """Add a product, as a draft. Sends `product.created`."""
        supplier_id = changes.pop("supplier_id", None)
        return services.product_create(caller=self.caller, supplier_id=supplier_id, changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        """Change what the body names and leave the rest; a list or map replaces the old one whole.

        Sends `product.updated`.
        """
        return services.product_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        """Delete the product for good. Orders keep what they know of it. Sends `product.deleted`."""
        services.product_delete(**target)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer, example=examples.PUBLISHED)
    @may_answer(StateConflictError)
    def publish(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Put a draft on sale. Sends `product.published`."""
        return self.transition(services.product_publish, id)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer, example=examples.DISCONTINUED)
    @may_answer(StateConflictError)
    def discontinue(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Stop selling an active or sold out product. Sends `product.discontinued`."""
        return self.transition(services.product_discontinue, id)

    @action(
        detail=True,
        methods=["post"],
        url_path="mark-out-of-stock",
        serializer_class=VersionSerializer,
        example=examples.OUT_OF_STOCK,
    )
    @may_answer(StateConflictError)
    def mark_out_of_stock(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Say that an active product is sold out. Sends `product.out_of_stock`."""
        return self.transition(services.product_mark_out_of_stock, id)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer, example=examples.RESTORED)
    @may_answer(StateConflictError)
    def restore(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Make a draft of a product that is active, sold out or discontinued. Sends `product.restored`."""
        return self.transition(services.product_restore, id)
