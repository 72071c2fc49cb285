"""Supplier and product documents (SPEC section 3)."""

import mongoengine as me

from marketplace.fields import (
    CentsField,
    CounterField,
    CountryField,
    EmailField,
    HttpUrlField,
    KeyedMapField,
    PositiveFloatField,
    QuantityField,
    TimezoneField,
)
from marketplace.mongo import Document, EmbeddedDocument
from marketplace.postal import Address

CATEGORIES = (
    "electronics",
    "fashion",
    "beauty",
    "home_garden",
    "sports_outdoors",
    "food_beverage",
    "health_wellness",
    "toys_games",
    "books_media",
    "automotive",
    "other",
)
UNIT_TYPES = ("piece", "pair", "set", "box", "pack", "bundle", "kg", "gram", "liter", "ml", "meter", "other")
PRODUCT_STATUSES = ("draft", "active", "out_of_stock", "discontinued", "deleted")
MAX_CENTIMETRES = 1_000_000
MAX_DISPLAY_ORDER = 1_000_000
SHOWN_PRODUCT_IDS = 100


class SupplierContactInfo(EmbeddedDocument):
    """How to reach a supplier."""

    primary_email = EmailField(required=True, help_text="To log in with; unique among suppliers.")
    additional_emails = me.ListField(EmailField(), max_length=10)
    primary_phone = me.StringField(required=True, min_length=1, max_length=50)
    contact_person_name = me.StringField(max_length=200)
    contact_person_title = me.StringField(max_length=100)
    contact_person_email = EmailField()
    contact_person_phone = me.StringField(max_length=50)


class CompanyInfo(EmbeddedDocument):
    """The company behind a supplier."""

    legal_name = me.StringField(required=True, min_length=2, max_length=200)
    dba_name = me.StringField(max_length=200, help_text="The name it does business as, if that is another.")
    business_address = me.EmbeddedDocumentField(Address, required=True)
    shipping_address = me.EmbeddedDocumentField(Address)


class BusinessInfo(EmbeddedDocument):
    """How a supplier presents itself and helps its customers."""

    facebook_url = HttpUrlField()
    instagram_handle = me.StringField(max_length=100)
    twitter_handle = me.StringField(max_length=100)
    linkedin_url = HttpUrlField()
    timezone = TimezoneField(help_text="An IANA name, as Europe/Vienna.")
    support_email = EmailField()
    support_phone = me.StringField(max_length=50)


class BankingInfo(EmbeddedDocument):
    """Where a supplier's money goes."""

    bank_name = me.StringField(max_length=200)
    account_holder_name = me.StringField(max_length=200)
    account_number_last4 = me.StringField(regex=r"^[0-9]{4}\Z", max_length=4, help_text="The last four digits.")


class Supplier(Document):
    """A company that sells products."""

    contact_info = me.EmbeddedDocumentField(SupplierContactInfo, required=True)
    company_info = me.EmbeddedDocumentField(CompanyInfo, required=True)
    business_info = me.EmbeddedDocumentField(BusinessInfo, required=True, default=BusinessInfo)
    banking_info = me.EmbeddedDocumentField(BankingInfo, owner_only=True, in_events=False)
    password_hash = me.StringField(required=True, private=True)

    # Shown in answers, but not stored, and not in events.
    derived = {
        "product_ids": me.ListField(
            me.ObjectIdField(), max_length=SHOWN_PRODUCT_IDS, help_text="The newest products that are not deleted."
        )
    }
    meta = {
        "collection": "suppliers",
        "indexes": [
            {"fields": ["contact_info.primary_email"], "unique": True},
            ["created_at", "_id"],
        ],
    }


class SupplierInfo(EmbeddedDocument):
    """The supplier as they were when the product was added."""

    name = me.StringField(required=True, max_length=200)


class TopicDescription(EmbeddedDocument):
    """A section of a product's description."""

    topic = me.StringField(required=True, min_length=1, max_length=100)
    description = me.StringField(required=True, min_length=1, max_length=5000)
    display_order = me.IntField(
        min_value=-MAX_DISPLAY_ORDER, max_value=MAX_DISPLAY_ORDER, default=0, help_text="Lower ones come first."
    )


class ProductMetadata(EmbeddedDocument):
    """How a product is known elsewhere."""

    base_sku = me.StringField(
        required=True, min_length=1, max_length=100, help_text="The stock keeping unit, without a variant."
    )
    brand = me.StringField(max_length=100)


class ProductImage(EmbeddedDocument):
    """A picture of a product."""

    url = HttpUrlField(required=True)
    alt_text = me.StringField(max_length=200)
    order = me.IntField(min_value=0, max_value=MAX_DISPLAY_ORDER, default=0, help_text="Lower ones come first.")
    is_primary = me.BooleanField(default=False, help_text="Whether orders show it, unless the variant has a picture.")


class StockLocation(EmbeddedDocument):
    """A place with stock of a product that is sold without variants."""

    location_name = me.StringField(required=True, min_length=1, max_length=200)
    street_address = me.StringField(max_length=200)
    city = me.StringField(required=True, min_length=1, max_length=100)
    state = me.StringField(max_length=100)
    zip_code = me.StringField(required=True, min_length=1, max_length=20)
    country = CountryField(required=True, help_text="ISO 3166-1 alpha-2.")
    quantity = QuantityField(
        required=True, help_text="How many pieces are there. Orders take from the locations in their order."
    )


class VariantAttribute(EmbeddedDocument):
    """One property of a variant, such as its colour."""

    attribute_name = me.StringField(required=True, min_length=1, max_length=50)
    attribute_value = me.StringField(required=True, min_length=1, max_length=100)


class PackageDimensions(EmbeddedDocument):
    """The size of the package."""

    width_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)
    height_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)
    depth_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)


class Variant(EmbeddedDocument):
    """One way that a product is sold, with a price and stock of its own."""

    variant_id = me.StringField(required=True, min_length=1, max_length=50)
    variant_name = me.StringField(required=True, min_length=1, max_length=200)
    attributes = me.EmbeddedDocumentListField(VariantAttribute, max_length=50)
    price_cents = CentsField(required=True, help_text="In cents.")
    cost_cents = CentsField(owner_only=True, help_text="What the supplier pays, in cents.")
    quantity = QuantityField(required=True, help_text="How many pieces are left; orders take from it.")
    package_dimensions = me.EmbeddedDocumentField(PackageDimensions, required=True)
    image_url = HttpUrlField()


class ProductStats(EmbeddedDocument):
    """What is counted about a product."""

    view_count = CounterField()
    favorite_count = CounterField()
    purchase_count = CounterField()
    total_reviews = CounterField()


class Product(Document):
    """What a supplier sells."""

    supplier_id = me.ObjectIdField(required=True, help_text="Whose product it is.")
    supplier_info = me.EmbeddedDocumentField(SupplierInfo, required=True)
    name = me.StringField(required=True, min_length=1, max_length=200)
    short_description = me.StringField(max_length=500)
    topic_descriptions = me.EmbeddedDocumentListField(TopicDescription, max_length=20)
    category = me.StringField(required=True, choices=CATEGORIES)
    unit_type = me.StringField(choices=UNIT_TYPES, default="piece")
    metadata = me.EmbeddedDocumentField(ProductMetadata, required=True, default=ProductMetadata)
    images = me.EmbeddedDocumentListField(ProductImage, max_length=50)
    stock_locations = me.EmbeddedDocumentListField(
        StockLocation,
        max_length=100,
        help_text="Stock of orders without a variant. A product with neither locations nor variants never runs out.",
    )
    variants = KeyedMapField(
        me.EmbeddedDocumentField(Variant),
        max_entries=200,
        max_key_length=200,
        help_text="By the name under which an order asks for it: no '.', and no '$' in front.",
    )
    base_price_cents = CentsField(required=True, help_text="The price without a variant, in cents.")
    stats = me.EmbeddedDocumentField(ProductStats, required=True, default=ProductStats)
    status = me.StringField(
        required=True,
        choices=PRODUCT_STATUSES,
        default="draft",
        help_text="Only active products are sold. Deleted ones are not found.",
    )
    published_at = me.DateTimeField(help_text="When it became active for the first time.")

    meta = {
        "collection": "products",
        "indexes": [
            ["-created_at", "-_id"],
            ["status", "-created_at", "-_id"],
            ["category", "-created_at", "-_id"],
            ["supplier_id", "-created_at", "-_id"],
        ],
    }
