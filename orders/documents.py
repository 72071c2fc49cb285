"""Order documents (SPEC section 3)."""

import mongoengine as me

from marketplace.fields import MAX_CENTS, CentsField, EmailField, HttpUrlField, QuantityField, TextMapField
from marketplace.mongo import Document, EmbeddedDocument
from marketplace.postal import AddressLines

ORDER_STATUSES = ("pending", "confirmed", "processing", "shipped", "delivered", "cancelled", "refunded", "failed")
FULFILLMENT_STATUSES = ("pending", "processing", "shipped", "delivered", "cancelled", "returned")
MAX_ITEMS = 20
MAX_ITEM_QUANTITY = 99


class Customer(EmbeddedDocument):
    """The buyer as they were when they placed the order."""

    user_id = me.ObjectIdField(required=True)
    display_name = me.StringField(required=True, max_length=100)
    email = EmailField(required=True)
    phone = me.StringField(max_length=20)


class ProductSnapshot(EmbeddedDocument):
    """The product as it was when it was ordered."""

    product_id = me.ObjectIdField(required=True)
    supplier_id = me.ObjectIdField(required=True)
    product_name = me.StringField(required=True, max_length=200)
    variant_name = me.StringField(max_length=200)
    variant_attributes = TextMapField(help_text="The variant's properties by name.")
    image_url = HttpUrlField(required=True)
    supplier_name = me.StringField(required=True, max_length=200)


class OrderItem(EmbeddedDocument):
    """One line of an order."""

    item_id = me.StringField(required=True, max_length=20, help_text="Its number within the order: item_1 and so on.")
    product_snapshot = me.EmbeddedDocumentField(ProductSnapshot, required=True)
    quantity = me.IntField(required=True, min_value=1, max_value=MAX_ITEM_QUANTITY)
    unit_price_cents = CentsField(required=True, help_text="In cents, at the time of the order.")
    final_price_cents = CentsField(required=True, help_text="What a piece costs after all, in cents.")
    total_cents = me.LongField(
        required=True,
        min_value=0,
        max_value=MAX_ITEM_QUANTITY * MAX_CENTS,
        help_text="For all pieces of the line, in cents.",
    )
    fulfillment_status = me.StringField(required=True, choices=FULFILLMENT_STATUSES, default="pending")
    shipped_quantity = me.IntField(required=True, min_value=0, max_value=MAX_ITEM_QUANTITY, default=0)
    tracking_number = me.StringField(max_length=100)
    carrier = me.StringField(max_length=100)
    shipped_at = me.DateTimeField()
    delivered_at = me.DateTimeField()


class ShippingAddress(AddressLines):
    """Where an order goes to."""

    recipient_name = me.StringField(required=True, min_length=1, max_length=200)
    phone = me.StringField(max_length=20)


class Cancellation(EmbeddedDocument):
    """That an order was cancelled, and why."""

    reason = me.StringField(min_length=5, max_length=500)
    cancelled_at = me.DateTimeField(required=True)


class StockTake(EmbeddedDocument):
    """Where an order took pieces from: a variant, or a stock location. Needed to give them back."""

    product_id = me.ObjectIdField(required=True)
    variant = me.StringField()
    location = me.StringField()
    position = me.IntField(min_value=0)
    quantity = QuantityField(required=True)


class Order(Document):
    """What a user bought."""

    order_number = me.StringField(
        required=True, max_length=21, help_text="For people: ORD-, the date, and 8 characters."
    )
    customer = me.EmbeddedDocumentField(Customer, required=True)
    items = me.EmbeddedDocumentListField(OrderItem, required=True, max_length=MAX_ITEMS)
    shipping_address = me.EmbeddedDocumentField(ShippingAddress, required=True)
    status = me.StringField(required=True, choices=ORDER_STATUSES, default="pending")
    cancellation = me.EmbeddedDocumentField(Cancellation)
    stock_takes = me.EmbeddedDocumentListField(StockTake, private=True)

    meta = {
        "collection": "orders",
        # In a sharded cluster (docs/scaling.md): goes into the filter of each update, and is never changed.
        "shard_key": ["order_number"],
        "indexes": [
            {"fields": ["order_number"], "unique": True},
            ["-created_at", "-_id"],
            ["customer.user_id", "-created_at", "-_id"],
            ["status", "-created_at", "-_id"],
        ],
    }
