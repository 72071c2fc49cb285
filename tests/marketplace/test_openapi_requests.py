"""The OpenAPI document against the server: what it lets into a request is taken, what it does not is refused (422)."""

import re
from collections.abc import Iterator

import pytest

from tests import contract
from tests.api import ANYONE, Json, new_supplier, new_user, unique_email
from tests.contract import operations
from tests.dotted import with_value

CREATING = ["POST /auth/token", "POST /auth/refresh", "POST /users", "POST /suppliers", "POST /products", "POST /posts"]


def texts(body: Json, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every text in a body."""
    for key, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield from texts(value, f"{path}.{key}" if path else str(key))
    if isinstance(body, str):
        yield path


def request_schema(name: str) -> tuple[Json, Json]:
    """Return the schema and the first example of a request body."""
    described = dict(operations(contract.document()))[name]["requestBody"]["content"][contract.JSON]
    return described["schema"], next(iter(described["examples"].values()))["value"]


def request_pattern(header: str) -> str:
    """Return the pattern of a header, which matches anything when there is none."""
    parameters = contract.document()["components"]["parameters"].values()
    return next(one["schema"].get("pattern", "") for one in parameters if one["name"] == header)


@pytest.mark.parametrize("name", CREATING)
def test_an_empty_text_is_refused_where_the_document_says_so(api: None, name: str) -> None:
    schema, example = request_schema(name)
    caller = {"POST /products": new_supplier, "POST /posts": new_user}.get(name, lambda: ANYONE)()
    if name == "POST /users":
        example = with_value(example, "email", unique_email())
    elif name == "POST /suppliers":
        example = with_value(example, "contact_info.primary_email", unique_email())
    refused = set()
    for path in texts(example):
        body = with_value(example, path, "")
        answered = caller("POST", name.split(" ")[1], body)
        if answered.status_code == 422:
            refused.add(path)
        assert (answered.status_code != 422) == contract.compiled(schema).is_valid(body), f"{path} is empty"
    assert refused


@pytest.mark.parametrize("value", ["*", '"1"', 'W/"1"', '"1", "2"', '"1","x"', "1", "", "0", '"', "abc", '"1'])
def test_if_match_is_refused_where_the_document_says_so(api: None, value: str) -> None:
    user = new_user()
    answered = user("PATCH", f"/users/{user.id}", {}, If_Match=value)
    assert (answered.status_code == 422) == (re.search(request_pattern("If-Match"), value) is None)


@pytest.mark.parametrize("header", ["X-Request-ID", "If-None-Match"])
@pytest.mark.parametrize("value", ["", "0", "a b", '"', "x" * 2000])
def test_headers_that_are_never_refused_take_any_text(api: None, header: str, value: str) -> None:
    user = new_user()
    assert user("GET", f"/users/{user.id}", **{header: value}).status_code == 200
    assert re.search(request_pattern(header), value)
