"""Holds events against their schemas in asyncapi.yaml: all that any test has a service send, by `check_sent`."""

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from django.conf import settings

from marketplace.events.catalogue import EventType
from marketplace.events.outbox import envelope
from marketplace.representation import to_json

Json = Any
ASYNCAPI = Path(settings.BASE_DIR) / "asyncapi.yaml"


@functools.cache
def document() -> Json:
    """Return the committed document."""
    return yaml.load(ASYNCAPI.read_text(), Loader=yaml.CSafeLoader)  # noqa: S506  # a safe loader, in C


def _exact(node: Json) -> Json:
    """Return a schema that takes only what today's version publishes: every field that it lists, and no other."""
    if isinstance(node, list):
        return [_exact(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _exact(value) for key, value in node.items()}
    if "properties" in found and "required" in found:
        found["required"] = list(found["properties"])
        found["additionalProperties"] = found.get("additionalProperties", False)
    return found


@functools.cache
def _validator(name: str, *, exact: bool) -> Any:
    schemas = document()["components"]["schemas"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _exact(schemas) if exact else schemas}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def problems(event: Json, *, exact: bool = True) -> list[str]:
    """Return what is wrong with an event; with `exact`, also what today's version would not publish."""
    name = event["event_type"].replace(".", "_").title().replace("_", "")
    return [f"{list(one.instance_path)}: {one.message}" for one in _validator(name, exact=exact).iter_errors(event)]


def header_problems(headers: dict[str, str]) -> list[str]:
    """Return what is wrong with the headers of a message."""
    return [one.message for one in _validator("EventHeaders", exact=True).iter_errors(headers)]


def check_sent(sender: Any, stored: Any, event_type: EventType, **_kwargs: object) -> None:
    """Receive `domain_event`: whatever a test has a service send is held against its schema."""
    found = problems(json.loads(to_json(envelope(sender, stored, event_type))))
    assert not found, f"{event_type.name} is not as in asyncapi.yaml: {found}"
