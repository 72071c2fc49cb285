"""The least that serves a product over HTTP: one PyMongo query, its result as JSON. No framework, no checks."""

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
import pymongo
from bson import ObjectId

VISIBLE = {"$in": ["active", "out_of_stock", "discontinued"]}


def collection() -> "pymongo.collection.Collection[dict[str, Any]]":
    """Return the products, decoded as the marketplace decodes them: times with a zone."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(os.environ["MONGODB_URL"], tz_aware=True)
    return client[os.environ["DATABASE_NAME"]]["products"]


def read_one(products: Any, product_id: str) -> dict[str, Any] | None:
    """Return one product."""
    found: dict[str, Any] | None = products.find_one({"_id": ObjectId(product_id), "status": VISIBLE})
    return found


def read_list(products: Any, limit: int, skip: int = 0) -> list[dict[str, Any]]:
    """Return the newest products."""
    return list(products.find({"status": VISIBLE}).sort([("created_at", -1), ("_id", -1)]).skip(skip).limit(limit))


def to_json(value: Any) -> bytes:
    """Return JSON of what the queries give."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: object) -> str:
    if isinstance(value, ObjectId | datetime):
        return str(value)
    raise TypeError(type(value).__name__)


products = collection()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve both reads by WSGI."""
    product_id = environ["PATH_INFO"].removeprefix("/products").lstrip("/")
    if product_id:
        body = to_json(read_one(products, product_id))
    else:
        asked = parse_qs(environ["QUERY_STRING"])
        body = to_json(read_list(products, int(asked["limit"][0]), int(asked.get("skip", ["0"])[0])))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
