"""What was ordered from a supplier, line by line, beside what the product is and costs now."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from analytics.models import OrderItem, Product, ProductVariant
from analytics.reports.pages import pages
from analytics.reports.report import Column, Question, Report, Row


def supplier_orders(question: Question) -> Iterator[Row]:
    """Yield the supplier's lines of orders of the range, the newest order first."""
    since, until = question.days.moments
    lines = OrderItem.objects.filter(
        supplier_id=question.supplier_id, order__created_at__gte=since, order__created_at__lt=until
    )
    newest = lines.order_by("-order__created_at", "-order_id").values_list("order_id", flat=True)
    orders = pages(newest[: question.limit])
    return islice(chain.from_iterable(_page(question.supplier_id, page) for page in orders), question.limit)


def _page(supplier_id: str, orders: list[str]) -> Iterator[Row]:
    lines = OrderItem.objects.filter(supplier_id=supplier_id, order_id__in=orders).select_related("order")
    place = {order_id: number for number, order_id in enumerate(orders)}
    found = sorted(lines, key=lambda line: (place[line.order_id], line.pk))
    products = Product.objects.in_bulk({line.product_id for line in found})
    variants = _variant_prices(found)
    for line in found:
        yield _row(line, products.get(line.product_id), variants)


def _variant_prices(lines: list[OrderItem]) -> dict[tuple[str, str], int]:
    ordered = {line.product_id for line in lines if line.variant_name is not None}
    rows = ProductVariant.objects.filter(product_id__in=ordered)
    return {
        (product_id, key): price
        for product_id, key, price in rows.values_list("product_id", "variant_key", "price_cents")
    }


def _row(line: OrderItem, product: Product | None, variants: dict[tuple[str, str], int]) -> dict[str, Any]:
    price = product.base_price_cents if product else None
    if line.variant_name is not None:
        price = variants.get((line.product_id, line.variant_name))
    return {
        "order_id": line.order_id,
        "order_number": line.order.order_number,
        "ordered_at": line.order.created_at,
        "order_status": line.order.status,
        "item_id": line.item_id,
        "product_id": line.product_id,
        "product_name": line.product_name,
        "variant_name": line.variant_name,
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price_cents,
        "final_price_cents": line.final_price_cents,
        "total_cents": line.total_cents,
        "fulfillment_status": line.fulfillment_status,
        "current_product_name": product.name if product else None,
        "current_price_cents": price,
        "current_product_status": product.status if product else None,
    }


SUPPLIER_ORDERS = Report(
    "supplier-orders",
    "Supplier orders",
    "The lines of a supplier in orders of the range, of any status, the newest order first, beside what their products"
    " are now.",
    (
        Column("order_id", "id", "The order."),
        Column("order_number", "text", "The order's number."),
        Column("ordered_at", "moment", "When the order was placed."),
        Column("order_status", "text", "The order's status now."),
        Column("item_id", "text", "The line within its order."),
        Column("product_id", "id", "The product."),
        Column("product_name", "text", "The product's name when it was ordered."),
        Column("variant_name", "text", "The variant that was ordered; null for none.", is_nullable=True),
        Column("quantity", "count", "How many units were ordered."),
        Column("unit_price_cents", "cents", "The price of a unit when it was ordered."),
        Column("final_price_cents", "cents", "The price paid for a unit."),
        Column("total_cents", "cents", "The price paid for the line."),
        Column("fulfillment_status", "text", "How far the line's delivery is."),
        Column(
            "current_product_name", "text", "The product's name now; null when the product is gone.", is_nullable=True
        ),
        Column(
            "current_price_cents",
            "cents",
            "What a unit of the same costs now, the variant's price where one was ordered; null when it is gone.",
            is_nullable=True,
        ),
        Column(
            "current_product_status",
            "text",
            "The product's status now; null when the product is gone.",
            is_nullable=True,
        ),
    ),
    supplier_orders,
    ("supplier_id", "start", "end", "limit"),
)
