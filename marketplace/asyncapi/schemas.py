"""JSON Schemas of events, derived from the documents as the OpenAPI document's are.

They mean the same in draft 2020-12 and in draft 7, on which AsyncAPI's Schema Object is built. They leave objects open:
a consumer ignores fields that it does not know.
"""

import functools
from collections.abc import Iterator
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.generics import GenericAPIView

from marketplace import mongo
from marketplace.api.fields import ObjectIdField
from marketplace.api.openapi.operations import ApiSchema
from marketplace.api.serializers import event_data
from marketplace.events.catalogue import CATALOGUE, TOPICS, EventType
from marketplace.mongo import MAX_VERSION

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = {"type": "string"} | ObjectIdField.openapi
_TIME = {"type": "string", "format": "date-time"}
# What `representation.timestamp` writes: RFC 3339 in UTC with milliseconds, and no leap seconds.
_TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d\.\d{3}Z$"

ENVELOPE: Schema = {
    "type": "object",
    "description": "What every event has around its data.",
    "properties": {
        "event_type": {"type": "string", "description": "Which event this is."},
        "event_id": {
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",  # draft 7 does not know the format
            "description": "Always the same for one version of one entity, so a repeat is known by it.",
        },
        "timestamp": _TIME | {"description": "When it was written."},
        "entity_id": _ID | {"description": "Whose event it is: the id in `data`, and the message's key."},
        "version": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_VERSION,
            "description": "Rises by one from event to event of an entity, with no gap.",
        },
        "data": {"type": "object", "description": "The whole entity after the write, as its owner sees it."},
    },
    "required": ["data", "entity_id", "event_id", "event_type", "timestamp", "version"],
}


def component_name(event_type: EventType) -> str:
    """Return what an event type is called among the components: ProductOutOfStock."""
    return event_type.name.replace(".", "_").title().replace("_", "")


@functools.cache
def components() -> dict[str, Schema]:
    """Return all schemas by name: of events, their envelope, and what their data consist of."""
    found = {"EventEnvelope": ENVELOPE} | _documents()
    found |= {f"{topic.title()}Deletion": _deletion(topic) for topic in _deleted_entities()}
    found |= {component_name(one): _event(one) for one in CATALOGUE.values()}
    return {name: _with_exact_times(schema) for name, schema in sorted(found.items())}


def schema_of(event_type: EventType) -> Schema:
    """Return an event type's JSON Schema as a document of its own, with all that it refers to."""
    needed = set(_referred(component_name(event_type)))
    reference = {"$ref": f"#/components/schemas/{component_name(event_type)}"}
    schemas = {name: schema for name, schema in components().items() if name in needed}
    return {"$schema": DIALECT, "title": event_type.name, **reference, "components": {"schemas": schemas}}


def _referred(name: str) -> Iterator[str]:
    """Yield a component and all that it leads to; none leads back."""
    yield name
    for node in _nodes(components()[name]):
        if isinstance(node, dict) and "$ref" in node:
            yield from _referred(node["$ref"].rpartition("/")[2])


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


def _deleted_entities() -> list[str]:
    return [one.entity for one in CATALOGUE.values() if one.is_deletion]


def _documents() -> dict[str, Schema]:
    """Return the schemas of the entities' documents and all that is in them."""
    mapping = ApiSchema()
    mapping.registry, mapping.view = ComponentRegistry(), GenericAPIView(request=None, format_kwarg=None)
    for document in mongo.document_classes():
        if document.__name__.lower() in TOPICS:
            mapping.resolve_serializer(event_data(document), "response")
    built: dict[str, Schema] = mapping.registry.build({})["schemas"]
    return built


def _deletion(entity: str) -> Schema:
    return {
        "type": "object",
        "description": f"What is left of a deleted {entity}.",
        "properties": {
            f"{entity}_id": _ID | {"description": "Whose deletion it is."},
            "deleted_at": _TIME | {"description": "When it was deleted."},
        },
        "required": ["deleted_at", f"{entity}_id"],
    }


def _event(event_type: EventType) -> Schema:
    data = f"{event_type.entity.title()}{'Deletion' if event_type.is_deletion else ''}"
    return {
        "description": f"Sent when {event_type.sent_when}.",
        "allOf": [
            {"$ref": "#/components/schemas/EventEnvelope"},
            {
                "type": "object",
                "properties": {
                    "event_type": {"const": event_type.name},
                    "data": {"$ref": f"#/components/schemas/{data}"},
                },
            },
        ],
    }


def _with_exact_times(node: Any) -> Any:
    """Return a schema that says of times how they are written."""
    if isinstance(node, list):
        return [_with_exact_times(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_exact_times(value) for key, value in node.items()}
    return found | {"pattern": _TIME_PATTERN} if found.get("format") == "date-time" else found
