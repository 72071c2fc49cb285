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
from marketplace.mongo import Document
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


class SupplierContactInfo(me.EmbeddedDocument):
    primary_email = EmailField(required=True)
    additional_emails = me.ListField(EmailField(), max_length=10)
    primary_phone = me.StringField(required=True, min_length=1, max_length=50)
    contact_person_name = me.StringField(max_length=200)
    contact_person_title = me.StringField(max_length=100)
    contact_person_email = EmailField()
    contact_person_phone = me.StringField(max_length=50)


class CompanyInfo(me.EmbeddedDocument):
    legal_name = me.StringField(required=True, min_length=2, max_length=200)
    dba_name = me.StringField(max_length=200)
    business_address = me.EmbeddedDocumentField(Address, required=True)
    shipping_address = me.EmbeddedDocumentField(Address)


class BusinessInfo(me.EmbeddedDocument):
    facebook_url = HttpUrlField()
    instagram_handle = me.StringField(max_length=100)
    twitter_handle = me.StringField(max_length=100)
    linkedin_url = HttpUrlField()
    timezone = TimezoneField()
    support_email = EmailField()
    support_phone = me.StringField(max_length=50)


class BankingInfo(me.EmbeddedDocument):
    bank_name = me.StringField(max_length=200)
    account_holder_name = me.StringField(max_length=200)
    account_number_last4 = me.StringField(regex=r"^[0-9]{4}\Z", max_length=4)


class Supplier(Document):
    contact_info = me.EmbeddedDocumentField(SupplierContactInfo, required=True)
    company_info = me.EmbeddedDocumentField(CompanyInfo, required=True)
    business_info = me.EmbeddedDocumentField(BusinessInfo, required=True, default=BusinessInfo)
    banking_info = me.EmbeddedDocumentField(BankingInfo, owner_only=True, in_events=False)
    password_hash = me.StringField(required=True, private=True)

    meta = {
        "collection": "suppliers",
        "indexes": [
            {"fields": ["contact_info.primary_email"], "unique": True},
            ["created_at", "_id"],
        ],
    }


class SupplierInfo(me.EmbeddedDocument):
    name = me.StringField(required=True, max_length=200)


class TopicDescription(me.EmbeddedDocument):
    topic = me.StringField(required=True, min_length=1, max_length=100)
    description = me.StringField(required=True, min_length=1, max_length=5000)
    display_order = me.IntField(min_value=-MAX_DISPLAY_ORDER, max_value=MAX_DISPLAY_ORDER, default=0)


class ProductMetadata(me.EmbeddedDocument):
    base_sku = me.StringField(required=True, min_length=1, max_length=100)
    brand = me.StringField(max_length=100)


class ProductImage(me.EmbeddedDocument):
    url = HttpUrlField(required=True)
    alt_text = me.StringField(max_length=200)
    order = me.IntField(min_value=0, max_value=MAX_DISPLAY_ORDER, default=0)
    is_primary = me.BooleanField(default=False)


class StockLocation(me.EmbeddedDocument):
    location_name = me.StringField(required=True, min_length=1, max_length=200)
    street_address = me.StringField(max_length=200)
    city = me.StringField(required=True, min_length=1, max_length=100)
    state = me.StringField(max_length=100)
    zip_code = me.StringField(required=True, min_length=1, max_length=20)
    country = CountryField(required=True)
    quantity = QuantityField(required=True)


class VariantAttribute(me.EmbeddedDocument):
    attribute_name = me.StringField(required=True, min_length=1, max_length=50)
    attribute_value = me.StringField(required=True, min_length=1, max_length=100)


class PackageDimensions(me.EmbeddedDocument):
    width_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)
    height_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)
    depth_cm = PositiveFloatField(required=True, max_value=MAX_CENTIMETRES)


class Variant(me.EmbeddedDocument):
    variant_id = me.StringField(required=True, min_length=1, max_length=50)
    variant_name = me.StringField(required=True, min_length=1, max_length=200)
    attributes = me.EmbeddedDocumentListField(VariantAttribute, max_length=50)
    price_cents = CentsField(required=True)
    cost_cents = CentsField(owner_only=True)
    quantity = QuantityField(required=True)
    package_dimensions = me.EmbeddedDocumentField(PackageDimensions, required=True)
    image_url = HttpUrlField()


class ProductStats(me.EmbeddedDocument):
    view_count = CounterField()
    favorite_count = CounterField()
    purchase_count = CounterField()
    total_reviews = CounterField()


class Product(Document):
    supplier_id = me.ObjectIdField(required=True)
    supplier_info = me.EmbeddedDocumentField(SupplierInfo, required=True)
    name = me.StringField(required=True, min_length=1, max_length=200)
    short_description = me.StringField(max_length=500)
    topic_descriptions = me.EmbeddedDocumentListField(TopicDescription, max_length=20)
    category = me.StringField(required=True, choices=CATEGORIES)
    unit_type = me.StringField(choices=UNIT_TYPES, default="piece")
    metadata = me.EmbeddedDocumentField(ProductMetadata, required=True, default=ProductMetadata)
    images = me.EmbeddedDocumentListField(ProductImage, max_length=50)
    stock_locations = me.EmbeddedDocumentListField(StockLocation, max_length=100)
    variants = KeyedMapField(me.EmbeddedDocumentField(Variant), max_entries=200, max_key_length=200)
    base_price_cents = CentsField(required=True)
    stats = me.EmbeddedDocumentField(ProductStats, required=True, default=ProductStats)
    status = me.StringField(required=True, choices=PRODUCT_STATUSES, default="draft")
    published_at = me.DateTimeField()

    meta = {
        "collection": "products",
        "indexes": [
            ["-created_at", "-_id"],
            ["status", "-created_at", "-_id"],
            ["category", "-created_at", "-_id"],
            ["supplier_id", "-created_at", "-_id"],
        ],
    }
