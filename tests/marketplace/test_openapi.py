"""The OpenAPI document: complete, valid, committed, and good to make clients from."""

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.validation import validate_schema

import catalog.events
import content.events
import orders.events
import users.events
from analytics.reports.catalogue import REPORTS
from marketplace import policy
from marketplace.api.openapi.document import text
from marketplace.errors import AppError
from marketplace.events.catalogue import EventType
from tests import contract
from tests.contract import Json, operations


@pytest.fixture
def document(settings: Any) -> Json:
    """The document as an installation behind no gateway serves it."""
    settings.TRUST_IDENTITY_HEADERS = False
    return json.loads(text("json"))


def nodes(node: Json) -> Iterator[Json]:
    """Yield every object of the document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


# --- As a whole ---


def test_the_committed_document_is_what_the_code_says(settings: Any) -> None:
    settings.TRUST_IDENTITY_HEADERS = False
    committed = contract.OPENAPI.read_text().splitlines(keepends=True)
    derived = text("yaml").decode().splitlines(keepends=True)
    changes = "".join(difflib.unified_diff(committed, derived, "openapi.yaml", "the code"))
    assert not changes, f"run `make openapi` and read what changes for clients:\n{changes[:5000]}"


def test_it_describes_every_route_of_the_policy(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert {name for name, _ in operations(document)} == set(policy.ROUTES)
    validate_schema(document)


def test_every_reference_leads_somewhere_and_every_component_is_referred_to(document: Json) -> None:
    references = {node["$ref"].removeprefix("#/components/") for node in nodes(document) if "$ref" in node}
    components = document["components"]
    assert references == {
        f"{kind}/{name}" for kind in components if kind != "securitySchemes" for name in components[kind]
    }


def test_it_is_made_once(document: Json) -> None:
    assert text("json") is text("json")
    assert text("json") is not text("yaml")


def test_no_secret_is_described(document: Json) -> None:
    assert "password_hash" not in json.dumps(document)
    assert "stock_takes" not in json.dumps(document)
    assert "changed_at" not in json.dumps(document)


# --- What clients are made from ---


def test_operations_tell_what_they_do(document: Json) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), name
        assert operation["summary"], name
        assert re.search(r"\n\nFor [^.]+\.$", operation["description"]), name
        assert len(operation["tags"]) == 1, name
        assert tags[operation["tags"][0]], name
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_event_is_told_where_it_is_sent(document: Json) -> None:
    told = {
        event
        for name, operation in operations(document)
        for event in re.findall(r"`(\w+\.\w+)`", operation["description"])
        if not name.startswith("GET")
    }
    apps = (users.events, catalog.events, orders.events, content.events)
    sent = {one.name for app in apps for one in vars(app).values() if isinstance(one, EventType)}
    assert told == sent


def test_schemas_have_names_and_descriptions(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert re.fullmatch(r"([A-Z][a-z0-9]+)+", name)
        if schema["type"] == "object":
            assert schema["description"].endswith("."), name
            assert "MongoEngine" not in schema["description"]
    inline = [
        node for name, schema in schemas.items() if "enum" not in schema for node in nodes(schema) if "enum" in node
    ]
    assert inline == []


def test_null_is_a_type(document: Json) -> None:
    assert not any("nullable" in node for node in nodes(document))
    bio = document["components"]["schemas"]["UserProfile"]["properties"]["bio"]
    assert bio == {"type": ["string", "null"], "maxLength": 500}


def test_answers_have_every_field_and_requests_only_what_must_be_there(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for name in ("User", "Supplier", "Product", "Order", "Post", "Variant", "OrderItem", "Media"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name
    assert set(schemas["ProductCreate"]["required"]) == {"name", "category", "base_sku", "base_price_cents"}
    assert "required" not in schemas["ProductUpdate"]


def test_every_text_and_number_of_a_request_has_its_limits(document: Json) -> None:
    requests = {
        name: document["components"]["schemas"][name]["properties"]
        for name in document["components"]["schemas"]
        if name.endswith(("Create", "Input")) and name != "ProductVariantsInput"
    }
    free = {"timezone"}  # a name out of a list that is too long to write down
    for name, properties in requests.items():
        for field, schema in properties.items():
            kinds = schema.get("type", ())
            if "string" in kinds and field not in free:
                assert schema.keys() & {"maxLength", "pattern"}, f"{name}.{field}"
            if {"integer", "number"} & {*([kinds] if isinstance(kinds, str) else kinds)}:
                assert "maximum" in schema, f"{name}.{field}"
                assert schema.keys() & {"minimum", "exclusiveMinimum"}, f"{name}.{field}"
            if "array" in kinds:
                assert "maxItems" in schema, f"{name}.{field}"


def test_variants_are_a_map(document: Json) -> None:
    variants = document["components"]["schemas"]["ProductVariantsInput"]
    assert variants["additionalProperties"] == {"$ref": "#/components/schemas/VariantInput"}
    assert variants["maxProperties"] == 200
    keys = contract.compiled(variants["propertyNames"])
    assert [keys.is_valid(key) for key in ("Red", "r.d", "$red", "", "x" * 201)] == [True, False, False, False, False]


def test_fields_that_others_see_as_null_say_so(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for schema, field in (("Variant", "cost_cents"), ("Supplier", "banking_info")):
        assert "Null for everybody but" in schemas[schema]["properties"][field]["description"]


def test_reports_are_told_column_by_column_in_both_forms(document: Json) -> None:
    for report in REPORTS.values():
        operation = document["paths"][f"/reports/{report.name}"]["get"]
        forms = operation["responses"]["200"]["content"]
        assert forms["text/csv"]["examples"]["File"]["value"].startswith(",".join(one.name for one in report.columns))
        asked = {one["name"]: one for one in operation["parameters"] if "name" in one}
        assert set(asked) == {*report.parameters, "format"}
        assert all("description" in one for one in asked.values())
        if report.name == "dashboard":
            continue  # one object
        name = forms[contract.JSON]["schema"]["items"]["$ref"].rpartition("/")[2]
        columns = document["components"]["schemas"][name]["properties"]
        assert list(columns) == [column.name for column in report.columns]
        for column in report.columns:
            assert columns[column.name]["description"] == column.definition
            assert ("null" in columns[column.name]["type"]) == column.is_nullable


# --- Callers and errors ---


def test_security_is_that_of_the_policy(document: Json) -> None:
    for name, operation in operations(document):
        kinds, alternatives = policy.ROUTES[name], operation["security"]
        if name.startswith(("GET /health", "POST /auth")) or name == "GET /":
            assert alternatives == []
            continue
        assert {"bearerToken": []} in alternatives
        assert ({"staffSession": []} in alternatives) == ("staff" in kinds), name
        assert ({} in alternatives) == ("anonymous" in kinds), name
    assert set(document["components"]["securitySchemes"]) == {"bearerToken", "staffSession"}


def test_identity_headers_are_described_where_they_are_trusted(document: Json, settings: Any) -> None:
    settings.TRUST_IDENTITY_HEADERS = True
    trusting = json.loads(text("json"))
    assert set(trusting["components"]["securitySchemes"]) == {"bearerToken", "staffSession", "userId", "supplierId"}
    assert trusting["paths"]["/orders"]["post"]["security"] == [{"bearerToken": []}, {"userId": []}]


def test_error_codes_are_those_of_the_error_classes(document: Json) -> None:
    def codes(family: type[AppError]) -> set[str]:
        return {family.code}.union(*map(codes, family.__subclasses__()))

    assert set(document["components"]["schemas"]["ErrorCode"]["enum"]) == codes(AppError)


ERRORS = {
    "GET /users": "401 403 422",
    "GET /users/{id}": "401 403 404",
    "GET /products/{id}": "401 403 404",
    "POST /users": "401 403 409 411 413 415 422",
    "POST /products/{id}/publish": "401 403 404 409 411 413 415 422",
    "POST /auth/refresh": "411 413 415 422",
    "GET /reports/cohorts": "401 403 422",
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_those_that_a_route_can_give(document: Json, name: str) -> None:
    always = {"400", "406", "414", "429", "500", "503"}
    found = {status for status in dict(operations(document))[name]["responses"] if status >= "400"}
    assert found == always | set(ERRORS[name].split())


def test_conflicts_are_told_apart(document: Json) -> None:
    def codes(name: str, status: str) -> set[str]:
        return set(
            contract.resolved(dict(operations(document))[name]["responses"][status])["content"][contract.JSON][
                "examples"
            ]
        )

    assert codes("POST /orders", "409") == {"INSUFFICIENT_STOCK", "STATE_CONFLICT"}
    assert codes("PATCH /users/{id}", "409") == {"VERSION_CONFLICT"}
    assert codes("POST /products/{id}/publish", "409") == {"VERSION_CONFLICT", "STATE_CONFLICT"}
    assert codes("POST /users", "409") == {"DUPLICATE_RESOURCE"}
    assert codes("GET /products/{id}", "403") == {"ACCOUNT_STATUS_ERROR"}
    assert codes("POST /auth/refresh", "400") == {"INVALID_TOKEN", "VALIDATION_ERROR"}


def test_headers(document: Json) -> None:
    found = dict(operations(document))

    def headers(name: str, status: str) -> set[str]:
        return set(contract.resolved(found[name]["responses"][status])["headers"])

    def parameters(name: str) -> set[str]:
        return {contract.resolved(one)["name"] for one in found[name]["parameters"]}

    limits = {"X-Request-ID", "RateLimit", "RateLimit-Policy"}
    assert headers("POST /orders", "201") == limits | {"ETag", "Location", "Idempotent-Replayed"}
    assert headers("GET /products", "200") == limits | {"Link"}
    assert headers("GET /products/{id}", "304") == limits | {"ETag"}
    assert headers("GET /products/{id}", "429") == limits | {"Retry-After"}
    assert headers("GET /products/{id}", "401") == limits | {"WWW-Authenticate"}
    assert parameters("POST /orders") == {"X-Request-ID", "Idempotency-Key"}
    assert parameters("PATCH /users/{id}") == {"id", "X-Request-ID", "If-Match"}
    assert parameters("GET /users/{id}") == {"id", "X-Request-ID", "If-None-Match"}
