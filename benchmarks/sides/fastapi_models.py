"""Documents and response models of the FastAPI and Beanie service: the fields of the marketplace's own."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field

# What the document holds but a customer does not see: shown as null.
Hidden = Annotated[None, Field(default=None, validation_alias="never stored")]
PLACEHOLDER_IMAGE = "https://placeholder.com/default.jpg"


class SupplierInfo(BaseModel):
    name: str


class TopicDescription(BaseModel):
    topic: str
    description: str
    display_order: int = 0


class Metadata(BaseModel):
    base_sku: str
    brand: str | None = None


class Image(BaseModel):
    url: str
    alt_text: str | None = None
    order: int = 0
    is_primary: bool = False


class StockLocation(BaseModel):
    location_name: str
    street_address: str | None = None
    city: str
    state: str | None = None
    zip_code: str
    country: str
    quantity: int


class Attribute(BaseModel):
    attribute_name: str
    attribute_value: str


class Dimensions(BaseModel):
    width_cm: float
    height_cm: float
    depth_cm: float


class VariantOut(BaseModel):
    variant_id: str
    variant_name: str
    attributes: list[Attribute] = []
    price_cents: int
    cost_cents: Hidden
    quantity: int
    package_dimensions: Dimensions
    image_url: str | None = None


class Variant(VariantOut):
    cost_cents: int | None = None


class ProductStats(BaseModel):
    view_count: int = 0
    favorite_count: int = 0
    purchase_count: int = 0
    total_reviews: int = 0


class ProductBody(BaseModel):
    version: int = 1
    created_at: datetime
    updated_at: datetime
    supplier_id: PydanticObjectId
    supplier_info: SupplierInfo
    name: str
    short_description: str | None = None
    topic_descriptions: list[TopicDescription] = []
    category: str
    unit_type: str
    metadata: Metadata
    images: list[Image] = []
    stock_locations: list[StockLocation] = []
    variants: dict[str, VariantOut] = {}
    base_price_cents: int
    stats: ProductStats
    status: str
    published_at: datetime | None = None


class ProductOut(ProductBody):
    model_config = ConfigDict(populate_by_name=True)

    id: PydanticObjectId = Field(validation_alias="_id")


class Product(Document, ProductBody):
    variants: dict[str, Variant] = {}

    class Settings:
        name = "products"


class UserContact(BaseModel):
    primary_email: str
    phone: str | None = None


class UserProfile(BaseModel):
    display_name: str


class User(Document):
    contact_info: UserContact
    profile: UserProfile

    class Settings:
        name = "users"


class LineCreate(BaseModel):
    product_id: PydanticObjectId
    variant_name: str | None = None
    quantity: int = Field(ge=1, le=99)


class ShippingAddress(BaseModel):
    recipient_name: str = Field(min_length=1, max_length=200)
    phone: str | None = Field(default=None, max_length=20)
    street_address_1: str = Field(min_length=1, max_length=200)
    street_address_2: str | None = Field(default=None, max_length=200)
    city: str = Field(min_length=1, max_length=100)
    state: str = Field(min_length=1, max_length=100)
    zip_code: str = Field(min_length=1, max_length=20)
    country: str = Field(min_length=2, max_length=2)


class OrderCreate(BaseModel):
    items: list[LineCreate] = Field(min_length=1, max_length=20)
    shipping_address: ShippingAddress


class Customer(BaseModel):
    user_id: PydanticObjectId
    display_name: str
    email: str
    phone: str | None = None


class Snapshot(BaseModel):
    product_id: PydanticObjectId
    supplier_id: PydanticObjectId
    product_name: str
    variant_name: str | None = None
    variant_attributes: dict[str, str] = {}
    image_url: str
    supplier_name: str


class Line(BaseModel):
    item_id: str
    product_snapshot: Snapshot
    quantity: int
    unit_price_cents: int
    final_price_cents: int
    total_cents: int
    fulfillment_status: str = "pending"
    shipped_quantity: int = 0
    tracking_number: str | None = None
    carrier: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None


class Cancellation(BaseModel):
    reason: str | None = None
    cancelled_at: datetime


def _order_number() -> str:
    return f"ORD-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4).upper()}"


class Order(Document):
    version: int = 1
    created_at: datetime
    updated_at: datetime
    order_number: str = Field(default_factory=_order_number)
    customer: Customer
    items: list[Line]
    shipping_address: ShippingAddress
    status: str = "pending"
    cancellation: Cancellation | None = None

    class Settings:
        name = "orders"


def order_line(number: int, wanted: LineCreate, product: Product) -> Line:
    """Return the line that an order keeps of a product. Raises KeyError for an unknown variant."""
    variant = product.variants[wanted.variant_name] if wanted.variant_name else None
    price = variant.price_cents if variant else product.base_price_cents
    image = (variant and variant.image_url) or next((image.url for image in product.images), PLACEHOLDER_IMAGE)
    snapshot = Snapshot(
        product_id=product.id,
        supplier_id=product.supplier_id,
        product_name=product.name,
        variant_name=wanted.variant_name,
        variant_attributes={a.attribute_name: a.attribute_value for a in variant.attributes} if variant else {},
        image_url=image,
        supplier_name=product.supplier_info.name,
    )
    return Line(
        item_id=f"item_{number}",
        product_snapshot=snapshot,
        quantity=wanted.quantity,
        unit_price_cents=price,
        final_price_cents=price,
        total_cents=price * wanted.quantity,
    )
