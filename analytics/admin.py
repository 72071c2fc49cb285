"""Admin pages of the analytics tables: what each shows, searches and filters. How they work is in `admin_base.py`.

Search goes by indexed columns: `=` the exact value, `^` its beginning.
"""

from django.contrib import admin

from analytics.admin_base import DateRangeFilter, ReadOnlyAdmin, ReadOnlyInline
from analytics.admin_letters import DeadLetterAdmin
from analytics.models import DeadLetter, Order, OrderItem, Post, Product, ProductVariant, Supplier, User

admin.site.site_header = admin.site.site_title = "Marketplace analytics"
admin.site.index_title = "Tables"
admin.site.register(DeadLetter, DeadLetterAdmin)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    columns = ("user_id", "display_name", "email", "phone", "created_at", "deleted_at")
    search_fields = ("=user_id", "^email")
    search_help_text = "User id, or the beginning of an email"
    list_filter = (("created_at", DateRangeFilter), ("deleted_at", admin.EmptyFieldListFilter))
    ordering = ("-created_at",)


@admin.register(Supplier)
class SupplierAdmin(ReadOnlyAdmin):
    columns = ("supplier_id", "legal_name", "email", "city", "country", "created_at")
    search_fields = ("=supplier_id", "^legal_name", "^email", "=country")
    search_help_text = "Supplier id, the beginning of a legal name or email, or a country code"
    list_filter = (("created_at", DateRangeFilter),)
    ordering = ("legal_name",)


class ProductVariantInline(ReadOnlyInline):
    model = ProductVariant
    columns = ("variant_key", "variant_id", "variant_name", "attributes_json", "price_cents", "cost_cents", "quantity")
    ordering = ("variant_key",)


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    columns = ("product_id", "name", "supplier_name", "category", "status", "base_price_cents", "created_at")
    search_fields = ("=product_id", "=supplier_id")
    search_help_text = "Product id or supplier id"
    list_filter = ("status", "category", ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
    inlines = (ProductVariantInline,)


@admin.register(ProductVariant)
class ProductVariantAdmin(ReadOnlyAdmin):
    columns = ("id", "product_id", "variant_key", "variant_name", "price_cents", "cost_cents", "quantity")
    search_fields = ("=product__product_id",)
    search_help_text = "Product id"
    ordering = ("-id",)


class OrderItemInline(ReadOnlyInline):
    model = OrderItem
    columns = (
        "item_id",
        "product_id",
        "product_name",
        "variant_name",
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
    search_fields = ("=order_id", "^order_number", "=customer_user_id")
    search_help_text = "Order id, the beginning of an order number, or a customer's user id"
    list_filter = ("status", ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
    inlines = (OrderItemInline,)


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnlyAdmin):
    columns = (
        "id",
        "order_id",
        "item_id",
        "product_name",
        "variant_name",
        "quantity",
        "unit_price_cents",
        "total_cents",
        "fulfillment_status",
    )
    search_fields = ("=order__order_id", "=product_id")
    search_help_text = "Order id or product id"
    ordering = ("-id",)


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    columns = (
        "post_id",
        "post_type",
        "author_display_name",
        "view_count",
        "like_count",
        "comment_count",
        "published_at",
        "created_at",
        "deleted_at",
    )
    search_fields = ("=post_id", "=author_user_id")
    search_help_text = "Post id or author's user id"
    list_filter = ("post_type", ("published_at", DateRangeFilter), ("created_at", DateRangeFilter))
    ordering = ("-created_at",)
