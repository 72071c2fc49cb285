"""Examples of bodies and answers for the OpenAPI document. The tests send the bodies and get the answers."""

from typing import Any

_SHIPPING = {
    "street_address_1": "Ring 1",
    "street_address_2": None,
    "city": "Vienna",
    "state": "Vienna",
    "zip_code": "1010",
    "country": "AT",
    "recipient_name": "Ada Lovelace",
    "phone": "+43 1 2345678",
}
ORDER_CREATE: dict[str, Any] = {
    "items": [{"product_id": "65f0c0ffee0123456789ab03", "variant_name": "Red", "quantity": 2}],
    "shipping_address": _SHIPPING,
}
CANCEL = {"reason": "Ordered twice", "version": 1}
ORDER: dict[str, Any] = {
    "id": "65f0c0ffee0123456789ab04",
    "order_number": "ORD-20260504-7K3M9QXZ",
    "customer": {
        "user_id": "65f0c0ffee0123456789ab01",
        "display_name": "Ada Lovelace",
        "email": "ada@example.com",
        "phone": "+43 1 2345678",
    },
    "items": [
        {
            "item_id": "item_1",
            "product_snapshot": {
                "product_id": "65f0c0ffee0123456789ab03",
                "supplier_id": "65f0c0ffee0123456789ab02",
                "product_name": "Hammer",
                "variant_name": "Red",
                "variant_attributes": {"colour": "red"},
                "image_url": "https://img.example.com/hammer-red.jpg",
                "supplier_name": "Tools Ltd",
            },
            "quantity": 2,
            "unit_price_cents": 1500,
            "final_price_cents": 1500,
            "total_cents": 3000,
            "fulfillment_status": "pending",
            "shipped_quantity": 0,
            "tracking_number": None,
            "carrier": None,
            "shipped_at": None,
            "delivered_at": None,
        }
    ],
    "shipping_address": _SHIPPING,
    "status": "pending",
    "cancellation": None,
    "version": 1,
    "created_at": "2026-05-04T10:00:00.000Z",
    "updated_at": "2026-05-04T10:00:00.000Z",
}
CANCELLED = ORDER | {
    "items": [ORDER["items"][0] | {"fulfillment_status": "cancelled"}],
    "status": "cancelled",
    "cancellation": {"reason": "Ordered twice", "cancelled_at": "2026-05-04T10:05:00.000Z"},
    "version": 2,
    "updated_at": "2026-05-04T10:05:00.000Z",
}
