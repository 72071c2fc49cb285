"""Admin pages of the analytics tables: what each shows, searches and filters. How they work is in `admin_base.py`.

Search goes by indexed columns: `=` the exact value, `^` its beginning.
"""

from django.contrib import admin

from analytics.admin_base import ReadOnlyAdmin, ReadOnlyInline
from analytics.admin_filters import BandFilter, CountedFilter, DateRangeFilter, LineKeyFilter, TierFilter, by_key
from analytics.admin_letters import DeadLetterAdmin
from analytics.models import DeadLetter, Export, Order, OrderItem, Post, Product, ProductVariant, Supplier, User

admin.site.register(DeadLetter, DeadLetterAdmin)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    columns = ("display_name", "email", "phone", "created_at", "deleted_at")
    search_fields = ("=user_id", "^email")
    search_help_text = "User id, or the beginning of an email"
    list_filter = (("created_at", DateRangeFilter), ("deleted_at", DateRangeFilter))
    related = (("Orders", Order, "customer_user_id"), ("Posts", Post, "author_user_id"))


@admin.register(Supplier)
class SupplierAdmin(ReadOnlyAdmin):
    columns = ("legal_name", "email", "city", "country", "created_at")
    search_fields = ("=supplier_id", "=country", "^legal_name", "^email")
    search_help_text = "Supplier id, a country code, or the beginning of a legal name or email"
    list_filter = (("created_at", DateRangeFilter),)
    related = (
        ("Products", Product, "supplier_id"),
        ("Orders", Order, "supplier_id"),
        ("Order lines", OrderItem, "supplier_id"),
    )


class ProductVariantInline(ReadOnlyInline):
    model = ProductVariant
    columns = ("variant_key", "variant_id", "variant_name", "attributes_json", "price_cents", "cost_cents", "quantity")
    ordering = ("variant_key",)


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    columns = ("name", "supplier_name", "category", "status", "base_price_cents", "purchase_count", "created_at")
    search_fields = ("=product_id", "=supplier_id")
    search_help_text = "Product id or supplier id"
    list_filter = (by_key("supplier_id"), BandFilter, "status", "category", ("created_at", DateRangeFilter))
    related = (
        ("Orders", Order, "product_id"),
        ("Order lines", OrderItem, "product_id"),
        ("Variants", ProductVariant, "product_id"),
    )
    inlines = (ProductVariantInline,)


@admin.register(ProductVariant)
class ProductVariantAdmin(ReadOnlyAdmin):
    columns = ("variant_key", "product_id", "attributes_json", "price_cents", "cost_cents", "quantity")
    search_fields = ("=product_id",)
    search_help_text = "Product id"
    list_filter = (by_key("product_id"),)
    order_column = "id"


class OrderItemInline(ReadOnlyInline):
    model = OrderItem
    columns = (
        "item_id",
        "product_name",
        "supplier_name",
        "variant_attributes_json",
        "quantity",
        "unit_price_cents",
        "total_cents",
        "fulfillment_status",
    )
    ordering = ("id",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    columns = (
        "order_number",
        "customer_display_name",
        "status",
        "item_count",
        "total_cents",
        "shipping_country",
        "created_at",
    )
    search_fields = ("=order_id", "=customer_user_id", "^order_number")
    search_help_text = "Order id, a customer's user id, or the beginning of an order number"
    list_filter = (
        by_key("customer_user_id"),
        by_key("product_id", LineKeyFilter),
        by_key("supplier_id", LineKeyFilter),
        CountedFilter,
        "status",
        ("created_at", DateRangeFilter),
    )
    related = (("Order lines", OrderItem, "order_id"),)
    inlines = (OrderItemInline,)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    columns = (
        "item_id",
        "order_id",
        "product_name",
        "supplier_name",
        "variant_attributes_json",
        "quantity",
        "total_cents",
        "fulfillment_status",
    )
    search_fields = ("=order_id", "=product_id", "=supplier_id")
    search_help_text = "Order id, product id or supplier id"
    list_filter = (by_key("order_id"), by_key("product_id"), by_key("supplier_id"))
    order_column = "order_id"  # ids rise with time


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    columns = (
        "text_content",
        "post_type",
        "author_display_name",
        "view_count",
        "like_count",
        "published_at",
        "created_at",
    )
    search_fields = ("=post_id", "=author_user_id")
    search_help_text = "Post id or author's user id"
    list_filter = (
        by_key("author_user_id"),
        TierFilter,
        "post_type",
        ("published_at", DateRangeFilter),
        ("created_at", DateRangeFilter),
    )


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    columns = ("at", "actor", "what", "filters", "rows")
    list_filter = (("at", DateRangeFilter),)
    order_column = "at"
