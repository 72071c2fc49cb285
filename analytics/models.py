"""The analytics tables (SPEC section 5). Only the consumer writes them.

Table and column names, sizes and indexes are a contract with the people who query them: those of single columns, that
is; an index of several serves a filter of the admin with its order. `projections.py` says which value of an event goes
into which column. Of the tables that are no contract, the consumer's own are in
`bookkeeping.py`, the roll-ups in `daily.py`, and what the pipeline tells of itself in `pipeline.py`.
"""

from django.db import models

from analytics.bookkeeping import ConsumerOffset as ConsumerOffset
from analytics.bookkeeping import DeadLetter as DeadLetter
from analytics.bookkeeping import DeadLetterAction as DeadLetterAction
from analytics.bookkeeping import RebuildPosition as RebuildPosition
from analytics.bookkeeping import Tombstone as Tombstone
from analytics.daily import Customer as Customer
from analytics.daily import CustomerDay as CustomerDay
from analytics.daily import DailyBuyers as DailyBuyers
from analytics.daily import DailyCancellations as DailyCancellations
from analytics.daily import DailyOrders as DailyOrders
from analytics.daily import DailyPosts as DailyPosts
from analytics.daily import DailySales as DailySales
from analytics.daily import DailySupplierSales as DailySupplierSales
from analytics.daily import DailyUsers as DailyUsers
from analytics.daily import MonthlyCohorts as MonthlyCohorts
from analytics.fields import ID_LENGTH, KeyField, LineField, ProseField
from analytics.pipeline import Desk as Desk
from analytics.pipeline import EventDelay as EventDelay
from analytics.pipeline import Export as Export
from analytics.pipeline import PartitionReport as PartitionReport
from analytics.pipeline import VerificationRun as VerificationRun

UUID_LENGTH = 36
EMAIL_LENGTH = 255
PHONE_LENGTH = 50
NAME_LENGTH = 200
URL_LENGTH = 2048


def _choices(*values: str) -> list[tuple[str, str]]:
    """Return declared choices: admin filters offer them without a query. What an event carries is stored as it is."""
    return [(value, value.replace("_", " ")) for value in values]


PRODUCT_STATUSES = _choices("draft", "active", "out_of_stock", "discontinued", "deleted")
CATEGORIES = _choices(
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
ORDER_STATUSES = _choices(
    "pending", "confirmed", "processing", "shipped", "delivered", "cancelled", "refunded", "failed"
)
FULFILLMENT_STATUSES = _choices("pending", "processing", "shipped", "delivered", "cancelled", "returned")
POST_TYPES = _choices("text", "image", "video", "link", "poll")
AUTHOR_TYPES = _choices("user", "leader")


class Projected(models.Model):
    """A row that follows one entity: what every such row knows of the event that wrote it last."""

    version = models.IntegerField()
    event_id = KeyField(max_length=UUID_LENGTH)
    event_timestamp = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class User(Projected):
    user_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    email = LineField(max_length=EMAIL_LENGTH, db_index=True)
    phone = LineField(max_length=PHONE_LENGTH, null=True)
    display_name = LineField(max_length=100)
    avatar = LineField(max_length=URL_LENGTH, null=True)
    bio = LineField(max_length=500, null=True)
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "users"
        indexes = [models.Index(fields=["deleted_at"], name="users_deleted_at")]


class Supplier(Projected):
    supplier_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    email = LineField(max_length=EMAIL_LENGTH, db_index=True)
    primary_phone = LineField(max_length=PHONE_LENGTH)
    contact_person_name = LineField(max_length=NAME_LENGTH, null=True)
    contact_person_title = LineField(max_length=NAME_LENGTH, null=True)
    contact_person_email = LineField(max_length=EMAIL_LENGTH, null=True)
    contact_person_phone = LineField(max_length=PHONE_LENGTH, null=True)
    legal_name = LineField(max_length=NAME_LENGTH, db_index=True)
    dba_name = LineField(max_length=NAME_LENGTH, null=True)
    street_address_1 = LineField(max_length=200, null=True)
    street_address_2 = LineField(max_length=200, null=True)
    city = LineField(max_length=100, null=True)
    state = LineField(max_length=100, null=True)
    zip_code = LineField(max_length=20, null=True)
    country = LineField(max_length=2, null=True)
    support_email = LineField(max_length=EMAIL_LENGTH, null=True)
    support_phone = LineField(max_length=PHONE_LENGTH, null=True)
    facebook_url = LineField(max_length=URL_LENGTH, null=True)
    instagram_handle = LineField(max_length=100, null=True)
    twitter_handle = LineField(max_length=100, null=True)
    linkedin_url = LineField(max_length=URL_LENGTH, null=True)
    timezone = LineField(max_length=64, null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "suppliers"
        indexes = [
            models.Index(fields=["country", "state", "city"], name="suppliers_place"),
            models.Index(fields=["created_at"], name="suppliers_created_at"),
        ]


class Product(Projected):
    product_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    supplier_id = KeyField(max_length=ID_LENGTH, db_index=True)
    supplier_name = LineField(max_length=NAME_LENGTH)
    name = LineField(max_length=NAME_LENGTH)
    short_description = LineField(max_length=500, null=True)
    category = LineField(max_length=50, db_index=True, choices=CATEGORIES)
    unit_type = LineField(max_length=20)
    base_sku = LineField(max_length=100)
    brand = LineField(max_length=100, null=True)
    base_price_cents = models.BigIntegerField()
    status = LineField(max_length=20, db_index=True, choices=PRODUCT_STATUSES)
    view_count = models.BigIntegerField()
    favorite_count = models.BigIntegerField()
    purchase_count = models.BigIntegerField()
    total_reviews = models.BigIntegerField()
    published_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "products"
        indexes = [
            models.Index(fields=["supplier_id", "created_at"], name="products_supplier_created"),
            models.Index(fields=["status", "created_at"], name="products_status_created"),
            models.Index(fields=["category", "created_at"], name="products_category_created"),
            models.Index(fields=["category", "status", "created_at"], name="products_both_created"),
        ]


class ProductVariant(models.Model):
    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, models.CASCADE, related_name="variants", db_index=False)
    variant_key = KeyField(max_length=200)
    variant_id = KeyField(max_length=100)
    variant_name = LineField(max_length=NAME_LENGTH)
    attributes_json = models.JSONField()
    price_cents = models.BigIntegerField()
    cost_cents = models.BigIntegerField(null=True)
    quantity = models.BigIntegerField()
    width_cm = models.FloatField()
    height_cm = models.FloatField()
    depth_cm = models.FloatField()
    image_url = LineField(max_length=URL_LENGTH, null=True)

    class Meta:
        db_table = "product_variants"
        constraints = [
            models.UniqueConstraint(fields=["product", "variant_key"], name="product_variants_product_id_variant_key")
        ]

    def __str__(self) -> str:
        return str(self.variant_key)


class Order(Projected):
    order_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    # Not unique: MySQL's upsert acts on any unique key, and a second one could overwrite another order's row.
    order_number = KeyField(max_length=30, db_index=True)
    customer_user_id = KeyField(max_length=ID_LENGTH, db_index=True)
    customer_display_name = LineField(max_length=100)
    customer_email = LineField(max_length=EMAIL_LENGTH)
    customer_phone = LineField(max_length=PHONE_LENGTH, null=True)
    shipping_recipient_name = LineField(max_length=NAME_LENGTH)
    shipping_phone = LineField(max_length=PHONE_LENGTH, null=True)
    shipping_street_1 = LineField(max_length=200)
    shipping_street_2 = LineField(max_length=200, null=True)
    shipping_city = LineField(max_length=100)
    shipping_state = LineField(max_length=100)
    shipping_zip_code = LineField(max_length=20)
    shipping_country = LineField(max_length=2)
    status = LineField(max_length=20, db_index=True, choices=ORDER_STATUSES)
    item_count = models.IntegerField()
    total_cents = models.BigIntegerField()
    cancellation_reason = LineField(max_length=500, null=True)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "orders"
        indexes = [
            models.Index(fields=["status", "created_at"], name="orders_status_created"),
            models.Index(fields=["customer_user_id", "created_at"], name="orders_customer_created"),
        ]


class OrderItem(models.Model):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False)
    item_id = KeyField(max_length=50)
    product_id = KeyField(max_length=ID_LENGTH, db_index=True)
    supplier_id = KeyField(max_length=ID_LENGTH)
    product_name = LineField(max_length=NAME_LENGTH)
    variant_name = LineField(max_length=NAME_LENGTH, null=True)
    variant_attributes_json = models.JSONField()
    image_url = LineField(max_length=URL_LENGTH)
    supplier_name = LineField(max_length=NAME_LENGTH)
    quantity = models.IntegerField()
    unit_price_cents = models.BigIntegerField()
    final_price_cents = models.BigIntegerField()
    total_cents = models.BigIntegerField()
    fulfillment_status = LineField(max_length=20, choices=FULFILLMENT_STATUSES)
    shipped_quantity = models.IntegerField()
    tracking_number = LineField(max_length=100, null=True)
    carrier = LineField(max_length=100, null=True)
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "order_items"
        constraints = [models.UniqueConstraint(fields=["order", "item_id"], name="order_items_order_id_item_id")]
        indexes = [
            models.Index(fields=["order"], name="order_items_order_id"),
            models.Index(fields=["product_id", "order"], name="order_items_product_order"),
            models.Index(fields=["supplier_id", "order"], name="order_items_supplier_order"),
        ]

    def __str__(self) -> str:
        return str(self.item_id)


class Post(Projected):
    post_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    post_type = LineField(max_length=20, db_index=True, choices=POST_TYPES)
    author_user_id = KeyField(max_length=ID_LENGTH, db_index=True)
    author_display_name = LineField(max_length=100)
    author_avatar = LineField(max_length=URL_LENGTH)
    author_type = LineField(max_length=20, choices=AUTHOR_TYPES)
    text_content = ProseField()
    media_json = models.JSONField(null=True)
    link_url = LineField(max_length=URL_LENGTH, null=True)
    link_title = LineField(max_length=200, null=True)
    link_description = LineField(max_length=500, null=True)
    link_image = LineField(max_length=URL_LENGTH, null=True)
    link_site_name = LineField(max_length=200, null=True)
    view_count = models.BigIntegerField()
    like_count = models.BigIntegerField()
    comment_count = models.BigIntegerField()
    share_count = models.BigIntegerField()
    save_count = models.BigIntegerField()
    engagement_rate = models.FloatField()
    last_comment_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True, db_index=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "posts"
        indexes = [
            models.Index(fields=["post_type", "created_at"], name="posts_type_created"),
            models.Index(fields=["post_type", "published_at"], name="posts_type_published"),
            models.Index(fields=["author_user_id", "created_at"], name="posts_author_created"),
        ]
