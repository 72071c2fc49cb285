"""The data that every side reads: made through the project's own API, so that it is stored as in production."""

import http.client
import json
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# More than the API keeps answers ready of (marketplace.representation.READY_ANSWERS).
PRODUCTS = 2200
CATEGORIES = ["electronics", "fashion", "beauty", "home_garden", "sports_outdoors", "books_media"]
WORDS = ["solid", "light", "walnut", "steel", "cotton", "travel", "kitchen", "garden", "desk", "lamp", "bottle"]
# Enough that no benchmark sells out; below the largest quantity that the API takes.
STOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Shop:
    """What the requests of the benchmarks name."""

    user_id: str
    product_ids: list[str]
    variant_names: list[str]


def fill(url: str) -> Shop:
    """Sign up a customer and a supplier, publish PRODUCTS products, place an order.

    Raises RuntimeError when one of it is refused.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    generator = random.Random(1)
    user = _post(connection, "/users", {"email": "c@example.com", "password": "secret-word-1", "display_name": "Ann"})
    supplier = _post(connection, "/suppliers", _supplier())
    owner = {"X-Supplier-ID": supplier["id"]}
    product_ids = []
    for number in range(PRODUCTS):
        product = _post(connection, "/products", _product(number, generator), owner)
        _post(connection, f"/products/{product['id']}/publish", {}, owner)
        product_ids.append(product["id"])
    shop = Shop(user["id"], product_ids, list(_variants(0, generator)))
    _post(connection, "/orders", order_body(shop, generator), {"X-User-ID": shop.user_id})
    connection.close()
    return shop


def _post(
    connection: http.client.HTTPConnection, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    sent = {"Content-Type": "application/json", "Accept": "application/json"} | (headers or {})
    connection.request("POST", path, json.dumps(body), sent)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"POST {path}: {answer.status} {content[:500]!r}")
    found: dict[str, Any] = json.loads(content)
    return found


def _supplier() -> dict[str, Any]:
    return {
        "password": "secret-word-2",
        "contact_info": {"primary_email": "s@example.com", "primary_phone": "+49 30 1234567"},
        "company_info": {"legal_name": "Oak & Iron Trading GmbH", "business_address": _address()},
    }


def _address() -> dict[str, Any]:
    return {
        "street_address_1": "Oranienstrasse 1",
        "city": "Berlin",
        "state": "Berlin",
        "zip_code": "10999",
        "country": "DE",
    }


def _product(number: int, generator: random.Random) -> dict[str, Any]:
    """Return a product of the usual size: two topics, three images, two stock locations, three variants."""
    text = " ".join(generator.choices(WORDS, k=30))
    return {
        "name": " ".join(generator.choices(WORDS, k=4)),
        "short_description": text[:120],
        "category": generator.choice(CATEGORIES),
        "base_sku": f"SKU-{number:05}",
        "brand": "Oak & Iron",
        "base_price_cents": generator.randrange(500, 100_000),
        "topic_descriptions": [
            {"topic": topic, "description": text, "display_order": order} for order, topic in enumerate(["Use", "Care"])
        ],
        "images": [
            {"url": f"https://cdn.example.com/{number}/{order}.jpg", "alt_text": "Seen from above", "order": order}
            for order in range(3)
        ],
        "stock_locations": [
            {"location_name": name, "quantity": STOCK, "city": "Berlin", "zip_code": "10999", "country": "DE"}
            for name in ("North", "South")
        ],
        "variants": _variants(number, generator),
    }


def _variants(number: int, generator: random.Random) -> dict[str, Any]:
    return {
        colour: {
            "variant_id": f"V-{number:05}-{colour}",
            "variant_name": colour,
            "attributes": [
                {"attribute_name": "colour", "attribute_value": colour},
                {"attribute_name": "size", "attribute_value": "M"},
            ],
            "price_cents": generator.randrange(500, 100_000),
            "cost_cents": generator.randrange(100, 500),
            "quantity": STOCK,
            "package_dimensions": {"width_cm": 10.5, "height_cm": 20.0, "depth_cm": 4.2},
            "image_url": f"https://cdn.example.com/{number}/{colour}.jpg",
        }
        for colour in ("Red", "Green", "Blue")
    }


def order_body(shop: Shop, generator: random.Random) -> dict[str, Any]:
    """Return an order of three different products, two of them in a variant."""
    variants = [*generator.choices(shop.variant_names, k=2), None]
    lines = [
        {"product_id": product_id, "quantity": generator.randint(1, 3), "variant_name": variant}
        for product_id, variant in zip(generator.sample(shop.product_ids, k=3), variants, strict=True)
    ]
    return {"items": lines, "shipping_address": {"recipient_name": "Ann Example", **_address()}}
