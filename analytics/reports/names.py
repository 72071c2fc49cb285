"""The name of a supplier or product: the current one, or the one on an order line when its row is gone."""

from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from analytics.models import OrderItem, Product, Supplier


def supplier_name() -> Coalesce:
    """Return the expression for rows with a `supplier_id`."""
    return _name(Supplier.objects.filter(pk=OuterRef("supplier_id")).values("legal_name"), "supplier")


def product_name() -> Coalesce:
    """Return the expression for rows with a `product_id`."""
    return _name(Product.objects.filter(pk=OuterRef("product_id")).values("name"), "product")


def _name(current: QuerySet[Any, Any], what: str) -> Coalesce:
    """The order line is looked at for rows without a current name only, by an index."""
    lines = OrderItem.objects.filter(**{f"{what}_id": OuterRef(f"{what}_id")}).order_by("-order_id", "-id")
    return Coalesce(
        Subquery(current[:1]), Subquery(lines.values(f"{what}_name")[:1]), output_field=CharField(max_length=200)
    )
