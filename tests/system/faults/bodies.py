"""Request bodies by the dice: every field now and then, with texts that databases like to get wrong."""

import random
from collections.abc import Callable
from typing import Any

Body = dict[str, Any]

WORDS = ("Hammer", "Käse", "naïve", "Привет", "数据", "🛠️ kit", "O'Neil", "50% \\ off", "a\tb", "Ünïcödé")
_CATEGORIES = ("electronics", "fashion", "home_garden", "toys_games", "other")


def text(rng: random.Random, words: int = 3) -> str:
    """Return a few words."""
    return " ".join(rng.choices(WORDS, k=words))


def _maybe(rng: random.Random, value: Any) -> Any:
    return value if rng.random() < 0.6 else None


def user(rng: random.Random, email: str) -> Body:
    """Return a user's sign-up."""
    return {
        "email": email,
        "display_name": text(rng),
        "phone": _maybe(rng, "+43 1 234"),
        "bio": _maybe(rng, text(rng, 9)),
    }


def user_changes(rng: random.Random) -> Body:
    """Return changes of a user."""
    return {"display_name": text(rng), "bio": _maybe(rng, text(rng, 5))}


def _address(rng: random.Random) -> Body:
    return {
        "street_address_1": f"{text(rng, 1)} {rng.randint(1, 99)}",
        "street_address_2": _maybe(rng, "Door 4"),
        "city": rng.choice(["Wien", "Graz", "São Paulo"]),
        "state": "State",
        "zip_code": str(rng.randint(1000, 9999)),
        "country": rng.choice(["AT", "BR", "DE"]),
    }


def supplier(rng: random.Random, email: str) -> Body:
    """Return a supplier's sign-up."""
    return {
        "contact_info": {
            "primary_email": email,
            "primary_phone": "+43 1 555",
            "contact_person_name": _maybe(rng, text(rng, 2)),
            "contact_person_title": _maybe(rng, "Head of sales"),
            "contact_person_email": _maybe(rng, "eva@example.com"),
            "contact_person_phone": _maybe(rng, "+43 1 556"),
        },
        "company_info": {
            "legal_name": text(rng),
            "dba_name": _maybe(rng, text(rng)),
            "business_address": _address(rng),
            "shipping_address": _maybe(rng, _address(rng)),
        },
        "business_info": _maybe(
            rng,
            {
                "facebook_url": "https://facebook.example.com/tools",
                "instagram_handle": _maybe(rng, "tools"),
                "twitter_handle": _maybe(rng, "tools"),
                "linkedin_url": _maybe(rng, "https://linkedin.example.com/tools"),
                "timezone": "Europe/Vienna",
                "support_email": _maybe(rng, "help@example.com"),
                "support_phone": _maybe(rng, "+43 1 557"),
            },
        ),
    }


def supplier_changes(rng: random.Random) -> Body:
    """Return changes of a supplier."""
    return {"legal_name": text(rng), "primary_phone": f"+43 1 {rng.randint(100, 999)}"}


ACCOUNTS: dict[str, Callable[[random.Random, str], Body]] = {"user": user, "supplier": supplier}


def _variant(rng: random.Random, number: int, quantity: int | None) -> Body:
    return {
        "variant_id": f"v{number}",
        "variant_name": text(rng, 1),
        "attributes": [{"attribute_name": f"a{n}", "attribute_value": text(rng, 1)} for n in range(rng.randint(0, 3))],
        "price_cents": rng.randint(0, 99_999),
        "cost_cents": _maybe(rng, rng.randint(0, 9_999)),
        "quantity": rng.randint(0, 500) if quantity is None else quantity,
        "package_dimensions": {"width_cm": rng.choice([0.1, 1.5, 20]), "height_cm": 2.25, "depth_cm": 3},
        "image_url": _maybe(rng, "https://img.example.com/v.jpg"),
    }


def variants(rng: random.Random, quantity: int | None = None, least: int = 0) -> Body:
    """Return variants under keys that only an exact comparison tells apart."""
    keys = rng.sample(["Red", "red", "Réd", "RED", "blue", "größe 5"], k=rng.randint(least, 4))
    return {key: _variant(rng, number, quantity) for number, key in enumerate(keys)}


def _location(rng: random.Random, name: str, quantity: int | None) -> Body:
    place = {"city": "Graz", "state": "Styria", "zip_code": "8010", "country": "AT"}
    return place | {"location_name": name, "quantity": rng.randint(0, 50) if quantity is None else quantity}


def product(rng: random.Random, sku: str, quantity: int | None) -> Body:
    """Return a new product; with a quantity, one that is sold."""
    return {
        "name": text(rng),
        "short_description": _maybe(rng, text(rng, 8)),
        "category": rng.choice(_CATEGORIES),
        "unit_type": rng.choice(["piece", "set", "kg"]),
        "base_sku": sku,
        "brand": _maybe(rng, text(rng, 1)),
        "images": _maybe(rng, [{"url": "https://img.example.com/1.jpg", "order": 0, "is_primary": True}]),
        "variants": variants(rng, quantity, least=0 if quantity is None else 1),
        "stock_locations": [_location(rng, "North", quantity), _location(rng, "South", quantity)],
        "base_price_cents": rng.randint(0, 1_000_000),
    }


def product_changes(rng: random.Random) -> Body:
    """Return changes of a product that nobody buys."""
    changes: list[Body] = [
        {"variants": variants(rng)},
        {"variants": variants(rng), "name": text(rng)},
        {"base_price_cents": rng.randint(0, 1_000_000), "brand": text(rng, 1)},
        {"short_description": text(rng, 6), "category": rng.choice(_CATEGORIES)},
    ]
    return rng.choice(changes)


def post(rng: random.Random, marker: str) -> Body:
    """Return a new post whose text is the marker."""
    return {
        "post_type": rng.choice(["text", "image", "video", "link", "poll"]),
        "text_content": marker,
        "media": _maybe(rng, [{"media_type": "gif", "media_url": "https://img.example.com/p.gif", "width": 64}]),
        "link_preview": _maybe(rng, _link(rng)),
        "is_draft": rng.random() < 0.4,
    }


def _link(rng: random.Random) -> Body:
    optional = {name: _maybe(rng, text(rng)) for name in ("description", "site_name")}
    return {"url": "https://example.com/a", "title": text(rng), "image": "https://example.com/a.jpg"} | optional


def post_changes(rng: random.Random, marker: str) -> Body:
    """Return changes of a post."""
    return rng.choice([{"text_content": f"{marker} {text(rng, 20)}"}, {"link_preview": _link(rng)}])
