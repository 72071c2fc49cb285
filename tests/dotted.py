"""Values at dotted paths of JSON bodies (`images.0.url`)."""

import json
from typing import Any

Json = Any


def at(body: Json, path: str) -> Json:
    """Return what stands at a dotted path (`images.0.url`)."""
    for key in path.split("."):
        body = body[int(key) if isinstance(body, list) else key]
    return body


def with_value(body: Json, path: str, value: Json) -> Json:
    """Return a copy of the body with a value put at a dotted path."""
    body = json.loads(json.dumps(body))  # a deep copy that shares nothing
    parent, _, key = path.rpartition(".")
    holder = at(body, parent) if parent else body
    holder[int(key) if isinstance(holder, list) else key] = value
    return body


def without(body: Json, path: str) -> Json:
    """Return a copy of the body without what stands at a dotted path."""
    body = json.loads(json.dumps(body))  # a deep copy that shares nothing
    parent, _, key = path.rpartition(".")
    del (at(body, parent) if parent else body)[key]
    return body
