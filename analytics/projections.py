"""Which value of an event goes into which column, declared as data (SPEC sections 4 and 5).

A column without a path here is read from the value of the same name in the event's `data`. Types, lengths and ranges
are not repeated here: `decoding.py` takes them from the models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from django.db import models

from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Projected, Supplier, User

# The path of a child's column that is filled by its key in the map, not by a value inside it.
MAP_KEY: Final = "<key>"


class Deletion(Enum):
    """What an entity's `deleted` event does."""

    NEVER = "there is no such event"
    MARKS = "the row stays and gets `deleted_at`"
    REMOVES = "the row goes, and leaves a tombstone"


@dataclass(frozen=True)
class Children:
    """The rows of a list or map inside `data`, replaced as a whole with every event that carries state.

    `key` is the column that tells the children of one parent apart.
    """

    model: type[models.Model]
    source: str
    key: str
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Projection:
    """One entity: the row its events write, and the events.

    `totals` names columns that are the sum of a column over the children.
    """

    entity: str
    model: type[Projected]
    states: tuple[str, ...]
    deletion: Deletion
    paths: Mapping[str, str]
    children: Children | None = None
    totals: Mapping[str, str] = field(default_factory=dict)

    @property
    def state_types(self) -> list[str]:
        """The event types that carry the entity's whole state."""
        return [f"{self.entity}.{name}" for name in self.states]

    @property
    def deletion_type(self) -> str | None:
        """The event type that ends the entity, if there is one."""
        return None if self.deletion is Deletion.NEVER else f"{self.entity}.deleted"


def _under(parent: str, *names: str, prefix: str = "") -> dict[str, str]:
    """Return paths of columns that are named as the values below `parent`, with an optional prefix."""
    return {f"{prefix}{name}": f"{parent}.{name}" for name in names}


_USER = Projection(
    entity="user",
    model=User,
    states=("created", "updated"),
    deletion=Deletion.MARKS,
    paths={
        "email": "contact_info.primary_email",
        "phone": "contact_info.phone",
        **_under("profile", "display_name", "avatar", "bio"),
    },
)

_SUPPLIER = Projection(
    entity="supplier",
    model=Supplier,
    states=("created", "updated"),
    deletion=Deletion.REMOVES,
    paths={
        "email": "contact_info.primary_email",
        **_under(
            "contact_info",
            "primary_phone",
            "contact_person_name",
            "contact_person_title",
            "contact_person_email",
            "contact_person_phone",
        ),
        **_under("company_info", "legal_name", "dba_name"),
        **_under(
            "company_info.business_address",
            "street_address_1",
            "street_address_2",
            "city",
            "state",
            "zip_code",
            "country",
        ),
        **_under(
            "business_info",
            "support_email",
            "support_phone",
            "facebook_url",
            "instagram_handle",
            "twitter_handle",
            "linkedin_url",
            "timezone",
        ),
    },
)

_PRODUCT = Projection(
    entity="product",
    model=Product,
    states=("created", "updated", "published", "discontinued", "out_of_stock", "restored"),
    deletion=Deletion.REMOVES,
    paths={
        "supplier_name": "supplier_info.name",
        **_under("metadata", "base_sku", "brand"),
        **_under("stats", "view_count", "favorite_count", "purchase_count", "total_reviews"),
    },
    children=Children(
        model=ProductVariant,
        source="variants",
        key="variant_key",
        paths={
            "variant_key": MAP_KEY,
            "attributes_json": "attributes",
            **_under("package_dimensions", "width_cm", "height_cm", "depth_cm"),
        },
    ),
)

_ORDER = Projection(
    entity="order",
    model=Order,
    states=("created", "cancelled"),
    deletion=Deletion.NEVER,
    paths={
        **_under("customer", "user_id", "display_name", "email", "phone", prefix="customer_"),
        **_under(
            "shipping_address", "recipient_name", "phone", "city", "state", "zip_code", "country", prefix="shipping_"
        ),
        "shipping_street_1": "shipping_address.street_address_1",
        "shipping_street_2": "shipping_address.street_address_2",
        "cancellation_reason": "cancellation.reason",
        "cancelled_at": "cancellation.cancelled_at",
    },
    children=Children(
        model=OrderItem,
        source="items",
        key="item_id",
        paths={
            **_under(
                "product_snapshot",
                "product_id",
                "supplier_id",
                "product_name",
                "variant_name",
                "image_url",
                "supplier_name",
            ),
            "variant_attributes_json": "product_snapshot.variant_attributes",
        },
    ),
    totals={"item_count": "quantity", "total_cents": "total_cents"},
)

_POST = Projection(
    entity="post",
    model=Post,
    states=("created", "updated", "published"),
    deletion=Deletion.MARKS,
    paths={
        **_under("author", "user_id", "display_name", "avatar", prefix="author_"),
        "author_type": "author.author_type",
        "media_json": "media",
        **_under("link_preview", "url", "title", "description", "image", "site_name", prefix="link_"),
        **_under(
            "stats",
            "view_count",
            "like_count",
            "comment_count",
            "share_count",
            "save_count",
            "engagement_rate",
            "last_comment_at",
        ),
    },
)

# In the order in which a transaction writes them: one order for all consumers, so they cannot deadlock.
PROJECTIONS: Final = (_USER, _SUPPLIER, _PRODUCT, _ORDER, _POST)
