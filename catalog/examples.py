"""Examples of bodies and answers for the OpenAPI document. The tests send the bodies and get the answers."""

from typing import Any

_ADDRESS = {
    "street_address_1": "Ring 1",
    "street_address_2": None,
    "city": "Vienna",
    "state": "Vienna",
    "zip_code": "1010",
    "country": "AT",
}
SIGN_UP: dict[str, Any] = {
    "password": "correct horse battery staple",
    "contact_info": {"primary_email": "sales@tools.example.com", "primary_phone": "+43 1 555"},
    "company_info": {"legal_name": "Tools Ltd", "business_address": _ADDRESS},
    "business_info": {"timezone": "Europe/Vienna", "support_email": "help@tools.example.com"},
    "banking_info": {"bank_name": "Bank of Vienna", "account_number_last4": "1234"},
}
SUPPLIER_CHANGES = {"legal_name": "Better Tools Ltd", "support_phone": "+43 1 557", "version": 1}
SUPPLIER: dict[str, Any] = {
    "id": "65f0c0ffee0123456789ab02",
    "contact_info": {
        "primary_email": "sales@tools.example.com",
        "additional_emails": [],
        "primary_phone": "+43 1 555",
        "contact_person_name": None,
        "contact_person_title": None,
        "contact_person_email": None,
        "contact_person_phone": None,
    },
    "company_info": {
        "legal_name": "Tools Ltd",
        "dba_name": None,
        "business_address": _ADDRESS,
        "shipping_address": None,
    },
    "business_info": {
        "facebook_url": None,
        "instagram_handle": None,
        "twitter_handle": None,
        "linkedin_url": None,
        "timezone": "Europe/Vienna",
        "support_email": "help@tools.example.com",
        "support_phone": None,
    },
    "banking_info": {"bank_name": "Bank of Vienna", "account_holder_name": None, "account_number_last4": "1234"},
    "product_ids": [],
    "version": 1,
    "created_at": "2026-05-04T08:30:00.000Z",
    "updated_at": "2026-05-04T08:30:00.000Z",
}
NEW_SUPPLIER = SUPPLIER | {"banking_info": None}  # seen by nobody in particular: who signs up has no token yet
CHANGED_SUPPLIER = SUPPLIER | {
    "company_info": SUPPLIER["company_info"] | {"legal_name": "Better Tools Ltd"},
    "business_info": SUPPLIER["business_info"] | {"support_phone": "+43 1 557"},
    "version": 2,
    "updated_at": "2026-05-05T17:00:00.000Z",
}

# Events leave out what is the supplier's own affair, and what is derived.
SUPPLIER_EVENT = {name: value for name, value in SUPPLIER.items() if name not in ("banking_info", "product_ids")}
CHANGED_SUPPLIER_EVENT = {name: CHANGED_SUPPLIER[name] for name in SUPPLIER_EVENT}

_RED: dict[str, Any] = {
    "variant_id": "hammer-red",
    "variant_name": "Red",
    "attributes": [{"attribute_name": "colour", "attribute_value": "red"}],
    "price_cents": 1500,
    "cost_cents": 700,
    "quantity": 10,
    "package_dimensions": {"width_cm": 12.5, "height_cm": 4.0, "depth_cm": 30.0},
    "image_url": "https://img.example.com/hammer-red.jpg",
}
_NORTH = {
    "location_name": "North",
    "street_address": "Ring 2",
    "city": "Graz",
    "state": None,
    "zip_code": "8010",
    "country": "AT",
    "quantity": 5,
}
_FRONT = {"url": "https://img.example.com/hammer.jpg", "alt_text": "A hammer", "order": 0, "is_primary": True}
_CARE = {"topic": "Care", "description": "Keep it dry.", "display_order": 1}
PRODUCT_CREATE: dict[str, Any] = {
    "name": "Hammer",
    "short_description": "Hits nails.",
    "topic_descriptions": [_CARE],
    "category": "home_garden",
    "unit_type": "piece",
    "base_sku": "H-1",
    "brand": "Hit",
    "images": [_FRONT],
    "variants": {"Red": _RED},
    "stock_locations": [_NORTH],
    "base_price_cents": 1000,
}
PRODUCT_CHANGES = {"name": "Claw hammer", "base_price_cents": 1100, "version": 1}
PRODUCT: dict[str, Any] = {
    "id": "65f0c0ffee0123456789ab03",
    "supplier_id": "65f0c0ffee0123456789ab02",
    "supplier_info": {"name": "Tools Ltd"},
    "name": "Hammer",
    "short_description": "Hits nails.",
    "topic_descriptions": [_CARE],
    "category": "home_garden",
    "unit_type": "piece",
    "metadata": {"base_sku": "H-1", "brand": "Hit"},
    "images": [_FRONT],
    "stock_locations": [_NORTH],
    "variants": {"Red": _RED},
    "base_price_cents": 1000,
    "stats": {"view_count": 0, "favorite_count": 0, "purchase_count": 0, "total_reviews": 0},
    "status": "draft",
    "published_at": None,
    "version": 1,
    "created_at": "2026-05-04T08:30:00.000Z",
    "updated_at": "2026-05-04T08:30:00.000Z",
}
CHANGED_PRODUCT = PRODUCT | {
    "name": "Claw hammer",
    "base_price_cents": 1100,
    "version": 2,
    "updated_at": "2026-05-05T17:00:00.000Z",
}
PUBLISHED = PRODUCT | {
    "status": "active",
    "published_at": "2026-05-06T09:00:00.000Z",
    "version": 3,
    "updated_at": "2026-05-06T09:00:00.000Z",
}
OUT_OF_STOCK = PUBLISHED | {"status": "out_of_stock"}
DISCONTINUED = PUBLISHED | {"status": "discontinued"}
RESTORED = PUBLISHED | {"status": "draft"}
