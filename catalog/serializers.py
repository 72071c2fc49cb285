"""Request bodies and query parameters of suppliers and products."""

from catalog import examples
from catalog.documents import PRODUCT_STATUSES, Product, Supplier
from marketplace.api import fields
from marketplace.api.preconditions import UpdateSerializer
from marketplace.api.queries import ListQuery, choice_filter, id_filter, status_filter
from marketplace.api.serializers import DocumentSerializer


class SupplierCreateSerializer(DocumentSerializer):
    """A new account."""

    password = fields.PasswordField()
    example = examples.SIGN_UP

    class Meta:
        document = Supplier
        fields = {name: name for name in ("contact_info", "company_info", "business_info", "banking_info")}


class SupplierUpdateSerializer(UpdateSerializer):
    """Changes of an account; what is left out stays as it is."""

    example = examples.SUPPLIER_CHANGES

    class Meta:
        document = Supplier
        partial = True
        fields = {
            "primary_phone": "contact_info.primary_phone",
            "legal_name": "company_info.legal_name",
            "dba_name": "company_info.dba_name",
            "support_email": "business_info.support_email",
            "support_phone": "business_info.support_phone",
        }


PRODUCT_FIELDS = {
    "name": "name",
    "short_description": "short_description",
    "topic_descriptions": "topic_descriptions",
    "category": "category",
    "unit_type": "unit_type",
    "base_sku": "metadata.base_sku",
    "brand": "metadata.brand",
    "images": "images",
    "variants": "variants",
    "stock_locations": "stock_locations",
    "base_price_cents": "base_price_cents",
}


class ProductCreateSerializer(DocumentSerializer):
    """A new product."""

    example = examples.PRODUCT_CREATE
    supplier_id = fields.ObjectIdField(
        required=False, allow_null=True, help_text="For staff: whose product it is. A supplier's own id counts else."
    )

    class Meta:
        document = Product
        fields = PRODUCT_FIELDS


class ProductUpdateSerializer(UpdateSerializer):
    """Changes of a product; what is left out stays as it is."""

    example = examples.PRODUCT_CHANGES

    class Meta:
        document = Product
        partial = True
        fields = PRODUCT_FIELDS


class ProductQuery(ListQuery):
    status = status_filter(PRODUCT_STATUSES)
    category = choice_filter(Product.category)
    supplier_id = id_filter("Products of this supplier only.")
