"""What a product or supplier is now, beside sums for its id; and its name on an order line when its row is gone."""

from typing import Any

from django.db.models import CharField, Expression, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from analytics.models import OrderItem, Product, Supplier


class _OfGroup(Expression):
    """What follows from the id that rows are grouped by."""

    def get_group_by_cols(self) -> list[Any]:
        """Return nothing more to group by: comparing names took a database five times as long as the sums."""
        return []


class Name(_OfGroup, Coalesce):
    """The current name, or else that on an order line."""


class Category(_OfGroup, Subquery):
    """The current category."""


def supplier_name() -> Name:
    """Return the expression for rows grouped by `supplier_id`."""
    return _name(Supplier.objects.filter(pk=OuterRef("supplier_id")).values("legal_name"), "supplier")


def product_name() -> Name:
    """Return the expression for rows grouped by `product_id`."""
    return _name(_product().values("name"), "product")


def product_category() -> Category:
    """Return the expression for rows grouped by `product_id`; it is null when the product is gone."""
    return Category(_product().values("category")[:1])


def _product() -> QuerySet[Product]:
    return Product.objects.filter(pk=OuterRef("product_id"))


def _name(current: QuerySet[Any, Any], what: str) -> Name:
    """The order line is looked at for rows without a current name only, by an index."""
    lines = OrderItem.objects.filter(**{f"{what}_id": OuterRef(f"{what}_id")}).order_by("-order_id", "-id")
    return Name(
        Subquery(current[:1]), Subquery(lines.values(f"{what}_name")[:1]), output_field=CharField(max_length=200)
    )
