"""Holds answers against openapi.yaml: every status, required header, error code and body must be in the document."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from django.conf import settings
from django.http import HttpResponse

Json = Any
OPENAPI = Path(settings.BASE_DIR) / "openapi.yaml"
JSON = "application/json"


@functools.cache
def document() -> Json:
    """Return the committed document."""
    return yaml.load(OPENAPI.read_text(), Loader=yaml.CSafeLoader)  # noqa: S506  # a safe loader, in C


def resolved(node: Json) -> Json:
    """Return what a reference leads to, or the node itself."""
    while "$ref" in node:
        node = functools.reduce(lambda at, key: at[key], node["$ref"].removeprefix("#/").split("/"), document())
    return node


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield method with path, and description, of every operation."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield f"{method.upper()} {path}", described


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?"), path) for path in document()["paths"]]


@functools.cache
def operation(method: str, path: str) -> tuple[str, Json]:
    """Return the name and the description of what answers, None for what the document does not have."""
    template = next((path_ for pattern, path_ in _templates() if pattern.fullmatch(path)), "")
    return f"{method} {template}", document()["paths"].get(template, {}).get(method.lower())


@functools.cache
def _components() -> Json:
    """Return the schemas, where an object has only the properties that it lists."""
    strict = {}
    for name, schema in document()["components"]["schemas"].items():
        closed = schema.get("type") == "object" and "additionalProperties" not in schema
        strict[name] = schema | {"additionalProperties": False} if closed else schema
    return {"schemas": strict}


@functools.cache
def validator(route: str, method: str, status: str) -> Any:
    """Return the compiled validator of a body."""
    response = resolved(document()["paths"][route][method.lower()]["responses"][status])
    return compiled(response["content"][JSON]["schema"])


def compiled(schema: Json) -> Any:
    """Return the validator of a schema of the document."""
    return jsonschema_rs.Draft202012Validator(schema | {"components": _components()}, validate_formats=True)


def check(method: str, path: str, response: HttpResponse) -> None:
    """Fail when the document does not have this answer. Routes and methods that it leaves out are not looked at."""
    method = "GET" if method == "HEAD" else method
    name, described = operation(method, path.partition("?")[0])
    if described is None:
        return
    status = str(response.status_code)
    assert status in described["responses"], f"{name}: openapi.yaml has no {status}: {response.content[:500]!r}"
    declared = resolved(described["responses"][status])
    _check_headers(f"{name} {status}", declared, response.headers)
    if "content" not in declared:
        assert response.content == b"", f"{name} {status}: openapi.yaml has no body"
    elif response.content:
        _check_body(name, status, declared, response)


def _check_headers(where: str, declared: Json, headers: Mapping[str, str]) -> None:
    for header, description in declared["headers"].items():
        if resolved(description)["required"]:
            assert header in headers, f"{where} without {header}"


def _check_body(name: str, status: str, declared: Json, response: HttpResponse) -> None:
    assert response["Content-Type"] == JSON, f"{name} {status}: {response['Content-Type']}"
    method, _, route = name.partition(" ")
    body = json.loads(response.content)
    problems = [
        f"{list(one.instance_path)}: {one.message}" for one in validator(route, method, status).iter_errors(body)
    ]
    assert not problems, f"{name} {status} is not as in openapi.yaml: {problems}"
    if "error" in body:
        code = body["error"]["code"]
        assert code in declared["content"][JSON]["examples"], f"{name} {status}: openapi.yaml has no {code}"
