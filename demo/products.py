"""The demo's products: drawn from the assortment, then brought into their status by the services' transitions."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bson import ObjectId

from catalog import services as catalog
from catalog.serializers import ProductCreateSerializer
from demo.addresses import city, street
from demo.assortment import ADJECTIVES, ASSORTMENT, BRANDS, CARE, OPTIONS, Kind
from demo.generation import Demand, Item, after, demo_id, draw, lognormal, long_tail, validated
from marketplace.callers import SYSTEM
from marketplace.mongo import Readable, Stored, transaction

# The status of ten products in a row. Ten and the number of categories share no factor, so every category gets all.
STATUSES = (
    *("active", "active", "draft", "active", "out_of_stock"),
    *("active", "active", "draft", "active", "discontinued"),
)
CATEGORIES = tuple(ASSORTMENT)
# What comes after publishing.
ENDINGS: dict[str, Callable[..., Stored]] = {
    "out_of_stock": catalog.product_mark_out_of_stock,
    "discontinued": catalog.product_discontinue,
}
ROUND_TO = 100
STOCKED_SHARE = 0.8
BRANDED_SHARE = 0.75


def items(demand: Demand, owners: Sequence[Readable]) -> Iterator[Item]:
    """Return products in all categories and statuses. The first suppliers have many of them, some of the last none."""
    for number in range(demand.count):
        sku = _sku(demand.seed, number)
        new_id = demo_id("products", sku)
        owner_id = long_tail(draw(demand.seed, "owner", number), owners)["_id"]
        yield Item("products", new_id, functools.partial(_make, demand, number, sku, owner_id, new_id))


def _sku(seed: int, number: int) -> str:
    digest = hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()
    return f"{CATEGORIES[number % len(CATEGORIES)][:3]}-{digest[:8]}".upper()


def _make(demand: Demand, number: int, sku: str, owner_id: ObjectId, new_id: ObjectId) -> None:
    random = draw(demand.seed, "product", number)
    status = STATUSES[number % len(STATUSES)]
    body = _body(random, CATEGORIES[number % len(CATEGORIES)], sku)
    if status == "out_of_stock":
        _sell_out(body)
    changes = validated(ProductCreateSerializer, body)
    changes |= {} if status == "draft" else _stats(random)
    created, published, ended = _moments(random, demand.until)

    @transaction
    def write() -> None:
        catalog.product_create(caller=SYSTEM, supplier_id=owner_id, changes=changes, at=created, new_id=new_id)
        if status != "draft":
            catalog.product_publish(caller=SYSTEM, identifier=str(new_id), at=published)
        if status in ENDINGS:
            ENDINGS[status](caller=SYSTEM, identifier=str(new_id), at=ended)

    write()


def _sell_out(body: dict[str, Any]) -> None:
    for place in [*(body["variants"] or {}).values(), *(body["stock_locations"] or [])]:
        place["quantity"] = 0


def _moments(random: Random, until: datetime) -> tuple[datetime, datetime, datetime]:
    """Return when the product was created, published and taken out of sale. Most are older than the demo's orders."""
    least, most = (95, 330) if random.random() < 0.75 else (10, 85)
    created = until - after(random, timedelta(days=least), timedelta(days=most))
    published = created + after(random, timedelta(hours=1), timedelta(days=3))
    ended = published + after(random, timedelta(hours=1), timedelta(days=1)) * 6
    return created, published, ended


def _stats(random: Random) -> dict[str, Any]:
    views = int(lognormal(random, 700, 1.0))
    return {
        "stats.view_count": views,
        "stats.favorite_count": int(views * random.uniform(0.01, 0.06)),
        "stats.total_reviews": int(views * random.uniform(0, 0.01)),
    }


def _body(random: Random, category: str, sku: str) -> dict[str, Any]:
    kind = random.choice(ASSORTMENT[category])
    name = f"{random.choice(ADJECTIVES)} {kind.name}"
    price = random.randint(kind.least_cents // ROUND_TO, kind.most_cents // ROUND_TO) * ROUND_TO - 1
    return {
        "name": name,
        "short_description": f"{name}: {kind.pitch}.",
        "topic_descriptions": _topics(random, kind),
        "category": category,
        "unit_type": kind.unit_type,
        "base_sku": sku,
        "brand": random.choice(BRANDS) if random.random() < BRANDED_SHARE else None,
        "images": _images(random, sku, name),
        "variants": _variants(random, kind, sku, price),
        "stock_locations": _stock_locations(random) if kind.option is None or random.random() < 0.2 else None,
        "base_price_cents": price,
    }


def _topics(random: Random, kind: Kind) -> list[dict[str, Any]]:
    topics = {
        "About this product": f"{kind.pitch}. {random.choice(CARE)}",
        "In the box": f"1 x {kind.name.lower()}, and a short guide in five languages.",
        "Shipping and returns": "Leaves our warehouse within two working days. Return it within 30 days, no questions.",
    }
    chosen = list(topics.items())[: random.randint(1, len(topics))]
    return [
        {"topic": topic, "description": description, "display_order": order}
        for order, (topic, description) in enumerate(chosen)
    ]


def _images(random: Random, sku: str, name: str) -> list[dict[str, Any]]:
    return [
        {
            "url": f"https://cdn.example.com/products/{sku.lower()}-{order}.jpg",
            "alt_text": f"{name}, picture {order + 1}",
            "order": order,
            "is_primary": order == 0,
        }
        for order in range(random.randint(1, 4))
    ]


def _variants(random: Random, kind: Kind, sku: str, price: int) -> dict[str, Any] | None:
    if kind.option is None:
        return None
    values = OPTIONS[kind.option]
    chosen = sorted(random.sample(range(len(values)), random.randint(2, min(5, len(values)))))
    width, height, depth = (round(random.uniform(4, 45), 1) for _ in range(3))
    return {
        values[place]: {
            "variant_id": f"{sku}-{place + 1}",
            "variant_name": values[place],
            "attributes": [{"attribute_name": kind.option, "attribute_value": values[place]}],
            "price_cents": price + order * kind.step_cents,
            "cost_cents": int(price * random.uniform(0.4, 0.65)),
            "quantity": random.randint(3, 45),
            "package_dimensions": {"width_cm": width, "height_cm": height, "depth_cm": depth},
            "image_url": f"https://cdn.example.com/products/{sku.lower()}-{place + 1}-variant.jpg",
        }
        for order, place in enumerate(chosen)
    }


def _stock_locations(random: Random) -> list[dict[str, Any]] | None:
    """Return one to three warehouses, or none: such a product is made to order and its stock is not counted."""
    if random.random() > STOCKED_SHARE:
        return None
    places = {place.city: place for place in (city(random) for _ in range(random.randint(1, 3)))}
    return [
        {
            "location_name": f"{place.city} warehouse",
            "street_address": street(random),
            "city": place.city,
            "state": place.state,
            "zip_code": place.zip_code,
            "country": place.country,
            "quantity": random.randint(6, 70),
        }
        for place in places.values()
    ]
