"""Limits of a request: its URL, its body's length, kind and nesting, and every list and map in it."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework import serializers

from marketplace.api import parsers
from marketplace.api.fields import CountryField, MapField, ObjectIdField, PatternField, TimezoneField
from marketplace.checks import declared_routes
from tests.api import ANYONE, JSON, USER, answered, new_user, nothing_written

# Texts of which only certain ones are taken.
CLOSED = (CountryField, ObjectIdField, PatternField, TimezoneField, serializers.ChoiceField)

pytestmark = pytest.mark.usefixtures("api")


def nested(depth: int, kind: str) -> bytes:
    return (b"[" * depth + b"]" * depth) if kind == "arrays" else b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize("kind", ["arrays", "objects"])
@pytest.mark.parametrize("depth", [33, 200, 1000, 5000, 100_000])
def test_a_body_that_is_nested_too_deep_says_so(kind: str, depth: int) -> None:
    with nothing_written():
        error = ANYONE.post("/users", nested(depth, kind), status=422)
    assert "nested" in error["message"] or "Malformed JSON" in error["message"]
    assert depth >= 1000 or "nested more than 32 deep" in error["message"]


def test_a_body_of_the_deepest_allowed_is_looked_at() -> None:
    body = USER | {"ignored": json.loads(nested(31, "objects")), "wide": [[]] * 200}
    ANYONE.post("/users", body, status=201)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP, identity"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    response = ANYONE("POST", "/users", b"\x1f\x8b", Content_Encoding=encoding)
    assert answered(response, 415)["code"] == "VALIDATION_ERROR"
    assert response["Accept-Encoding"] == "identity"
    assert ANYONE("POST", "/users", USER, Content_Encoding="identity").status_code == 201


def test_a_body_that_ends_early_is_refused() -> None:
    """Nothing at all would pass for an empty object: a change without the version that it was to be based on."""
    user = new_user()
    for body in (b"", b"{}", b'{"version": 7'):
        frame = {"CONTENT_LENGTH": "50", "CONTENT_TYPE": JSON, "wsgi.input": io.BytesIO(body)}
        short = user.client.generic("DELETE", f"/users/{user.id}", **frame)
        assert answered(short, 400)["message"] == "The body ended early"
    assert user.get(f"/users/{user.id}")["version"] == 1


@pytest.mark.parametrize("url", ["/products?x=" + "x" * 8000, "/products/" + "x" * 8000, "/" + "x" * 8000])
def test_a_long_url_is_refused(url: str) -> None:
    assert answered(ANYONE("GET", url), 414)["code"] == "VALIDATION_ERROR"


def test_many_parameters_are_refused() -> None:
    assert ANYONE.get("/products?" + "&".join(f"x{number}=1" for number in range(200))) == []
    error = answered(ANYONE("GET", "/products?" + "&".join(f"x{number}=1" for number in range(201))), 422)
    assert (error["code"], error["message"]) == ("VALIDATION_ERROR", "More than 200 parameters")


def test_depth_is_counted_without_recursion() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert parsers._depth(deep) == 100_000
    assert [parsers._depth(value) for value in (1, [], {"a": 1}, [[], {"a": [{}]}])] == [0, 1, 1, 4]
    while isinstance(deep, list):  # a nest this deep is more than the interpreter can clear by itself
        deep = deep.pop()


# --- Lists and maps ---


def request_serializers() -> dict[str, Any]:
    """Return the serializer of every request body, by route."""
    found = {}
    for pattern in get_resolver().url_patterns:
        for route in getattr(pattern, "url_patterns", [pattern]):
            view = getattr(route.callback, "cls", None)
            for method, action in getattr(route.callback, "actions", {}).items():
                if method in ("post", "patch"):
                    instance = view(action=action, **route.callback.initkwargs)
                    found[f"{method} {route.pattern}"] = instance.get_serializer_class()()
    return found


def unbounded(field: Any, path: str) -> Iterator[str]:
    """Yield the paths of lists, maps and texts that may be of any size."""
    match field:
        case MapField():
            yield from unbounded(field.child, f"{path}.*")
        case serializers.ListSerializer() | serializers.ListField():
            if field.max_length is None:
                yield path
            yield from unbounded(field.child, f"{path}.*")
        case serializers.DictField() | serializers.JSONField():
            yield path
        case serializers.BaseSerializer():
            for name, inner in field.fields.items():
                yield from unbounded(inner, f"{path}.{name}")
        case serializers.CharField() if field.max_length is None and not isinstance(field, CLOSED):
            yield path


def test_every_list_map_and_text_in_a_request_has_a_limit() -> None:
    found = request_serializers()
    assert len(found) >= len([name for name in declared_routes() if name.startswith(("POST", "PATCH"))]) - 3  # auth
    assert [path for route, body in found.items() for path in unbounded(body, route)] == []
