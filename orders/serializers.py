"""Request bodies and query parameters of orders."""

from rest_framework import serializers

from marketplace.api import fields
from marketplace.api.preconditions import VersionSerializer
from marketplace.api.queries import ListQuery, id_filter, status_filter
from marketplace.api.serializers import DocumentSerializer
from orders import examples
from orders.documents import MAX_ITEM_QUANTITY, MAX_ITEMS, ORDER_STATUSES, Order


class OrderLineSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One line of an order as the buyer asks for it."""

    product_id = fields.ObjectIdField()
    variant_name = fields.TextField(
        required=False, allow_null=True, min_length=1, max_length=200, trim_whitespace=False
    )
    quantity = fields.WholeNumberField(min_value=1, max_value=MAX_ITEM_QUANTITY)


class OrderCreateSerializer(DocumentSerializer):
    """What to buy, and where to send it."""

    example = examples.ORDER_CREATE
    items = serializers.ListField(child=OrderLineSerializer(), min_length=1, max_length=MAX_ITEMS)

    class Meta:
        document = Order
        fields = {"shipping_address": "shipping_address"}


class OrderCancelSerializer(VersionSerializer):
    """Why an order is cancelled, if that is to be kept."""

    example = examples.CANCEL
    reason = fields.TextField(required=False, allow_null=True, min_length=5, max_length=500)


class OrderQuery(ListQuery):
    status = status_filter(ORDER_STATUSES)
    user_id = id_filter("For staff: orders of this user only.")
