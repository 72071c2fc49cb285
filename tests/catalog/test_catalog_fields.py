"""The field rules of suppliers and products (SPEC section 3)."""

from catalog.documents import CATEGORIES, MAX_CENTIMETRES, MAX_DISPLAY_ORDER, UNIT_TYPES
from marketplace.fields import MAX_CENTS, MAX_QUANTITY
from tests.api import ADDRESS, LOCATION, PRODUCT, VARIANT, Api, Json, new_supplier, supplier_body
from tests.rules import (
    Field,
    UpdateRules,
    choice,
    country,
    email,
    many,
    nested,
    number,
    password,
    text,
    true_false,
    url,
    whole,
)

CONTACT = "contact_info"
COMPANY = "company_info"
BUSINESS = "business_info"
BANKING = "banking_info"
NO_BUSINESS_INFO = dict.fromkeys(
    ("facebook_url", "instagram_handle", "twitter_handle", "linkedin_url", "timezone", "support_email", "support_phone")
)


def address(path: str) -> dict[str, Field]:
    return {
        f"{path}.street_address_1": text(1, 200),
        f"{path}.street_address_2": text(0, 200, required=False),
        f"{path}.city": text(1, 100),
        f"{path}.state": text(1, 100),
        f"{path}.zip_code": text(1, 20),
        f"{path}.country": country(),
    }


TIMEZONE = Field(
    ["", "Mars/Base", "europe/vienna", "UTC+1", "Europe/Vienna\0", 1, [], "../../etc/passwd"],
    [("UTC", "UTC"), (" America/New_York ", "America/New_York")],
    required=False,
)
LAST4 = Field(
    ["123", "12345", "12a4", "١٢٣٤", "12 4", "-123", 1234, True, [], "1234\0", ""],  # noqa: RUF001
    [("0000", "0000"), (" 9876 ", "9876"), ("1234\n", "1234")],
    required=False,
)


class TestSupplierFields(UpdateRules):
    collection = "suppliers"
    create = {
        "password": password(),
        CONTACT: nested(),
        f"{CONTACT}.primary_email": email(),
        f"{CONTACT}.additional_emails": many("a@example.com", 10),
        f"{CONTACT}.additional_emails.0": email(),
        f"{CONTACT}.primary_phone": text(1, 50),
        f"{CONTACT}.contact_person_name": text(0, 200, required=False),
        f"{CONTACT}.contact_person_title": text(0, 100, required=False),
        f"{CONTACT}.contact_person_email": email(required=False),
        f"{CONTACT}.contact_person_phone": text(0, 50, required=False),
        COMPANY: nested(),
        f"{COMPANY}.legal_name": text(2, 200),
        f"{COMPANY}.dba_name": text(0, 200, required=False),
        f"{COMPANY}.business_address": nested(),
        **address(f"{COMPANY}.business_address"),
        f"{COMPANY}.shipping_address": nested(required=False),
        **address(f"{COMPANY}.shipping_address"),
        BUSINESS: nested(required=False, nulls=NO_BUSINESS_INFO),
        f"{BUSINESS}.facebook_url": url(required=False),
        f"{BUSINESS}.instagram_handle": text(0, 100, required=False),
        f"{BUSINESS}.twitter_handle": text(0, 100, required=False),
        f"{BUSINESS}.linkedin_url": url(required=False),
        f"{BUSINESS}.timezone": TIMEZONE,
        f"{BUSINESS}.support_email": email(required=False),
        f"{BUSINESS}.support_phone": text(0, 50, required=False),
        BANKING: nested(required=False),
        f"{BANKING}.bank_name": text(0, 200, required=False),
        f"{BANKING}.account_holder_name": text(0, 200, required=False),
        f"{BANKING}.account_number_last4": LAST4,
    }
    update = {
        "primary_phone": text(1, 50, shown=f"{CONTACT}.primary_phone"),
        "legal_name": text(2, 200, shown=f"{COMPANY}.legal_name"),
        "dba_name": text(0, 200, required=False, shown=f"{COMPANY}.dba_name"),
        "support_email": email(required=False, shown=f"{BUSINESS}.support_email"),
        "support_phone": text(0, 50, required=False, shown=f"{BUSINESS}.support_phone"),
    }

    def body(self) -> Json:
        return supplier_body()

    def made(self, caller: Api, body: Json) -> Json:
        """Return the new supplier as they see themselves."""
        made = super().made(caller, body)
        assert made[BANKING] is None
        return Api(**{"X-Supplier-ID": made["id"]}).get(f"/suppliers/{made['id']}")

    def existing(self) -> tuple[Api, str]:
        supplier = new_supplier()
        return supplier, f"/suppliers/{supplier.id}"


def variants_field() -> Field:
    """The map of variants: its keys, its size, and null."""
    long = "k" * 201
    bad_keys: list[Json] = [{key: VARIANT} for key in ("", " ", "a.b", ".", "$a", "a\0b", long)]
    refused = [*bad_keys, {str(i): VARIANT for i in range(201)}, [], [VARIANT], "x", 5, True, {"a": None}, {"a": []}]
    keys = ("k" * 200, "a$b", "Réd", "red ", "0", "__proto__", "_id", "Red/Large (2)")
    return Field(refused, [({}, {}), *(({key: VARIANT}, {key: VARIANT}) for key in keys)], required=False, nulls={})


TOPIC = PRODUCT["topic_descriptions"][0]
IMAGE = PRODUCT["images"][0]
ATTRIBUTE = VARIANT["attributes"][0]
TOP_LEVEL = {
    "name": text(1, 200),
    "short_description": text(0, 500, required=False),
    "topic_descriptions": many(TOPIC, 20),
    "category": choice(*CATEGORIES),
    "unit_type": choice(*UNIT_TYPES, required=False, nulls="piece"),
    "base_sku": text(1, 100, shown="metadata.base_sku"),
    "brand": text(0, 100, required=False, shown="metadata.brand"),
    "images": many(IMAGE, 50),
    "variants": variants_field(),
    "stock_locations": many(LOCATION, 100),
    "base_price_cents": whole(0, MAX_CENTS),
}


class TestProductFields(UpdateRules):
    collection = "products"
    create = TOP_LEVEL | {
        "topic_descriptions.0.topic": text(1, 100),
        "topic_descriptions.0.description": text(1, 5000),
        "topic_descriptions.0.display_order": whole(-MAX_DISPLAY_ORDER, MAX_DISPLAY_ORDER, required=False, nulls=0),
        "images.0.url": url(),
        "images.0.alt_text": text(0, 200, required=False),
        "images.0.order": whole(0, MAX_DISPLAY_ORDER, required=False, nulls=0),
        "images.0.is_primary": true_false(),
        "stock_locations.0.location_name": text(1, 200),
        "stock_locations.0.street_address": text(0, 200, required=False),
        "stock_locations.0.city": text(1, 100),
        "stock_locations.0.state": text(0, 100, required=False),
        "stock_locations.0.zip_code": text(1, 20),
        "stock_locations.0.country": country(),
        "stock_locations.0.quantity": whole(0, MAX_QUANTITY),
        "variants.Red.variant_id": text(1, 50),
        "variants.Red.variant_name": text(1, 200),
        "variants.Red.attributes": many(ATTRIBUTE, 50),
        "variants.Red.attributes.0.attribute_name": text(1, 50),
        "variants.Red.attributes.0.attribute_value": text(1, 100),
        "variants.Red.price_cents": whole(0, MAX_CENTS),
        "variants.Red.cost_cents": whole(0, MAX_CENTS, required=False),
        "variants.Red.quantity": whole(0, MAX_QUANTITY),
        "variants.Red.package_dimensions": nested(),
        "variants.Red.package_dimensions.width_cm": number(0, MAX_CENTIMETRES, above=True),
        "variants.Red.package_dimensions.height_cm": number(0, MAX_CENTIMETRES, above=True),
        "variants.Red.package_dimensions.depth_cm": number(0, MAX_CENTIMETRES, above=True),
        "variants.Red.image_url": url(required=False),
    }
    update = TOP_LEVEL

    def caller(self) -> Api:
        return new_supplier()

    def body(self) -> Json:
        return PRODUCT


def test_both_addresses_are_kept_apart(api: None) -> None:
    body = supplier_body()
    body["company_info"]["shipping_address"] = ADDRESS | {"city": "Linz"}
    supplier = new_supplier(body)
    shown = supplier.get(f"/suppliers/{supplier.id}")["company_info"]
    assert (shown["business_address"]["city"], shown["shipping_address"]["city"]) == ("Vienna", "Linz")
