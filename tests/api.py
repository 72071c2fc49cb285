"""What the API tests share: callers, valid bodies, documents made through the API, and "nothing was written".

Every request goes through the whole Django stack to a real mongod. The `api` fixture makes identity headers count.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client

from marketplace import mongo
from tests import contract
from tests.dotted import with_value

Json = Any
JSON = "application/json"
DOMAIN = ("users", "suppliers", "products", "orders", "posts")
OUTBOX = "outbox"
NOBODY = "000000000000000000000000"

USER = {
    "email": "ada@example.com",
    "password": "correct horse",
    "display_name": "Ada",
    "phone": "+43 1 234",
    "bio": "Hello",
}
ADDRESS = {
    "street_address_1": "Ring 1",
    "street_address_2": "Door 4",
    "city": "Vienna",
    "state": "Vienna",
    "zip_code": "1010",
    "country": "AT",
}
SUPPLIER = {
    "password": "correct horse",
    "contact_info": {
        "primary_email": "sales@example.com",
        "additional_emails": ["more@example.com"],
        "primary_phone": "+43 1 555",
        "contact_person_name": "Eva",
        "contact_person_title": "Head of sales",
        "contact_person_email": "eva@example.com",
        "contact_person_phone": "+43 1 556",
    },
    "company_info": {
        "legal_name": "Tools Ltd",
        "dba_name": "Tools",
        "business_address": ADDRESS,
        "shipping_address": ADDRESS,
    },
    "business_info": {
        "facebook_url": "https://facebook.example.com/tools",
        "instagram_handle": "tools",
        "twitter_handle": "tools",
        "linkedin_url": "https://linkedin.example.com/tools",
        "timezone": "Europe/Vienna",
        "support_email": "help@example.com",
        "support_phone": "+43 1 557",
    },
    "banking_info": {"bank_name": "Bank", "account_holder_name": "Tools Ltd", "account_number_last4": "1234"},
}
VARIANT = {
    "variant_id": "v1",
    "variant_name": "Red",
    "attributes": [{"attribute_name": "colour", "attribute_value": "red"}],
    "price_cents": 1500,
    "cost_cents": 700,
    "quantity": 10,
    "package_dimensions": {"width_cm": 1.5, "height_cm": 2, "depth_cm": 3},
    "image_url": "https://img.example.com/red.jpg",
}
LOCATION = {
    "location_name": "North",
    "street_address": "Ring 2",
    "city": "Graz",
    "state": "Styria",
    "zip_code": "8010",
    "country": "AT",
    "quantity": 5,
}
PRODUCT = {
    "name": "Hammer",
    "short_description": "Hits nails",
    "topic_descriptions": [{"topic": "Care", "description": "Keep dry", "display_order": 1}],
    "category": "home_garden",
    "unit_type": "piece",
    "base_sku": "H-1",
    "brand": "Hit",
    "images": [{"url": "https://img.example.com/1.jpg", "alt_text": "A hammer", "order": 0, "is_primary": True}],
    "variants": {"Red": VARIANT},
    "stock_locations": [LOCATION],
    "base_price_cents": 1000,
}
# Nothing but what must be there: no stock is counted for it.
PLAIN_PRODUCT = {"name": "Advice", "category": "other", "base_sku": "A-1", "base_price_cents": 100}
SHIPPING = ADDRESS | {"recipient_name": "Ada Lovelace", "phone": "+43 1 234"}
POST = {
    "post_type": "image",
    "text_content": "Look at this",
    "media": [
        {
            "media_type": "image",
            "media_url": "https://img.example.com/p.jpg",
            "thumbnail_url": "https://img.example.com/t.jpg",
            "width": 640,
            "height": 480,
            "duration_seconds": 1.5,
            "size_bytes": 1000,
        }
    ],
    "link_preview": {
        "url": "https://example.com/a",
        "title": "A page",
        "description": "About it",
        "image": "https://example.com/a.jpg",
        "site_name": "Example",
    },
}

_numbers = itertools.count(1)


class Api:
    """Somebody who calls the API: nobody in particular, or the account of an identity header."""

    def __init__(self, client: Client | None = None, *, id: str = "", **identity: str) -> None:
        self.client = client or Client(headers=identity)
        self.id = id

    def __call__(
        self, method: str, path: str, body: Json = None, *, content_type: str = JSON, **headers: str
    ) -> HttpResponse:
        """Send a request; `body` is JSON, or raw bytes. `If_Match="..."` sends the header If-Match.

        The answer is held against openapi.yaml.
        """
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(method, path, content, content_type=content_type, headers=named)
        if "text/html" not in headers.get("Accept", ""):  # pages are for people
            contract.check(method, path, response)
        return response

    def get(self, path: str, **headers: str) -> Json:
        """Return the body of a 200."""
        return answered(self("GET", path, **headers), 200)

    def post(self, path: str, body: Json = None, *, status: int = 200, **headers: str) -> Json:
        """Return the body of an answer with this status."""
        return answered(self("POST", path, body, **headers), status)

    def patch(self, path: str, body: Json, *, status: int = 200, **headers: str) -> Json:
        """Return the body of an answer with this status."""
        return answered(self("PATCH", path, body, **headers), status)

    def delete(self, path: str, *, status: int = 204, **headers: str) -> Json:
        """Return the body of an answer with this status, None for 204."""
        return answered(self("DELETE", path, **headers), status)


ANYONE = Api()


def answered(response: HttpResponse, status: int) -> Json:
    """Return the body after checking the status; of an error, what is inside the envelope."""
    assert response.status_code == status, f"{response.status_code}: {response.content.decode()[:2000]}"
    if not response.content:
        return None
    body = response.json()
    if status < 400:
        return body
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "details"}
    assert body["error"].get("details") != {}
    return body["error"]


def refused_fields(error: Json) -> dict[str, list[str]]:
    """Return the messages by field of a VALIDATION_ERROR."""
    assert error["code"] == "VALIDATION_ERROR", error
    fields = error["details"]["fields"]
    assert all(messages and all(isinstance(one, str) and one for one in messages) for messages in fields.values())
    return fields


def unique_number() -> int:
    """Return a number that was not there before."""
    return next(_numbers)


def unique_email() -> str:
    """Return an address that nobody has."""
    return f"somebody{unique_number()}@example.com"


def supplier_body() -> Json:
    """Return the body of a sign-up with an address that nobody has."""
    return with_value(SUPPLIER, "contact_info.primary_email", unique_email())


def new_user(**body: Json) -> Api:
    """Sign a user up and return them as a caller."""
    body = USER | {"email": unique_email()} | body
    found = ANYONE.post("/users", body, status=201)
    return Api(id=found["id"], **{"X-User-ID": found["id"]})


def new_supplier(body: Json = None) -> Api:
    """Sign a supplier up and return them as a caller."""
    found = ANYONE.post("/suppliers", body or supplier_body(), status=201)
    return Api(id=found["id"], **{"X-Supplier-ID": found["id"]})


def new_product(supplier: Api, *, status: str = "active", of: Json = PRODUCT, **body: Json) -> Json:
    """Add a product in a status, made of this and that, and return it as its owner sees it."""
    product = supplier.post("/products", of | body, status=201)
    return to_status(supplier, product, status)


TO_STATUS = {
    "draft": (),
    "active": ("publish",),
    "out_of_stock": ("publish", "mark-out-of-stock"),
    "discontinued": ("publish", "discontinue"),
}


def to_status(owner: Api, product: Json, status: str) -> Json:
    """Bring a draft into a status."""
    for action in TO_STATUS[status]:
        product = owner.post(f"/products/{product['id']}/{action}")
    return product


def order_body(*lines: Json, **body: Json) -> Json:
    """Return the body of an order; a line is a product's id, or all of it."""
    items = [line if isinstance(line, dict) else {"product_id": line, "quantity": 1} for line in lines]
    return {"items": items, "shipping_address": SHIPPING} | body


def new_order(user: Api, *lines: Json) -> Json:
    """Place an order."""
    return user.post("/orders", order_body(*lines), status=201)


def new_post(user: Api, **body: Json) -> Json:
    """Write a post."""
    return user.post("/posts", POST | body, status=201)


def stored() -> dict[str, list[mongo.Stored]]:
    """Return everything that is in the database: documents and waiting events."""
    database = mongo.database()
    return {name: list(database[name].find(sort=[("_id", 1)])) for name in (*DOMAIN, OUTBOX)}


@contextlib.contextmanager
def nothing_written() -> Iterator[None]:
    """Check that the block leaves no document and no event behind, and changes none."""
    before = stored()
    yield
    assert stored() == before


def events(**query: Json) -> list[Json]:
    """Return the waiting events in the order of their writes, decoded; `query` is by the outbox's own fields."""
    found = mongo.database()[OUTBOX].find(query, sort=[("timestamp", 1), ("version", 1)])
    return [json.loads(event["payload"]) for event in found]


def events_of(identifier: str) -> list[Json]:
    """Return the events of one entity by version, after checking that there is no gap."""
    found = sorted(events(key=identifier), key=lambda event: event["version"])
    assert [event["version"] for event in found] == list(range(1, len(found) + 1))
    times = [event["timestamp"] for event in found]
    assert times == sorted(set(times))
    return found


@pytest.fixture
def api(mongodb: str, settings: Any) -> None:
    """An empty marketplace whose callers name themselves by header."""
    settings.TRUST_IDENTITY_HEADERS = True


@pytest.fixture
def staff(api: None, db: None) -> Api:
    """A staff account with a session, as in the browsable API."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("boss", is_staff=True))
    return Api(client)
