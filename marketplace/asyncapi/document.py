"""The AsyncAPI 3.0 document of the events, out of the event catalogue (https://www.asyncapi.com/docs/reference/specification/v3.0.0).

Channels are the topics, messages the event types. It says nothing that depends on where it is made.
"""

from typing import Any

from django.conf import settings
from drf_spectacular.renderers import OpenApiYamlRenderer

from marketplace.asyncapi.schemas import component_name, components
from marketplace.events.catalogue import CATALOGUE, TOPICS, EventType
from marketplace.events.delivery import SOURCE
from marketplace.events.outbox import event_id
from marketplace.events.topics import config

Document = dict[str, Any]

BINDING_VERSION = "0.5.0"
_HEADERS = "#/components/schemas/EventHeaders"
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_DELETED_AT = "2026-05-07T12:00:00.000Z"

DESCRIPTION = """\
Every write of the marketplace is one event, in the topic of its entity.

**Delivery** is at least once and in order per entity: the key of a message is the entity's id. Nothing that was rolled
back is ever sent. Drop repeats by `entity_id` and `version`, or by `event_id`. Events come in Kafka transactions: read
with `isolation.level=read_committed`.

**Data.** `data` is the whole entity after the write as its owner sees it, without secrets; of a deletion it is the id
and the time. Times are RFC 3339 in UTC with milliseconds and `Z`. Money is in cents.

**Evolution.** Fields are added, never taken away, and never change their meaning. Ignore fields that you do not know,
and take a field that is missing for null. Enumerations may get further values, and topics further event types. An
event that was sent once stays readable for ever.
"""

HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode, and the W3C trace context. Values are UTF-8.",
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "The event's `event_id`."},
        "ce_type": {"type": "string", "description": "The event's `event_type`."},
        "ce_source": {"const": SOURCE},
        "ce_time": {"type": "string", "format": "date-time", "description": "The event's `timestamp`."},
        "content-type": {"const": "application/json"},
        "traceparent": {
            "type": "string",
            "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "description": "The trace in which the write was made (https://www.w3.org/TR/trace-context/).",
        },
    },
    "required": ["ce_id", "ce_source", "ce_specversion", "ce_time", "ce_type", "content-type", "traceparent"],
}
_KEY = {"type": "string", "pattern": "^[0-9a-f]{24}$", "description": "The entity's id; it decides the partition."}

SERVER = {
    "host": "{bootstrap_servers}",
    "protocol": "kafka",
    "description": "The cluster of the installation.",
    "variables": {
        "bootstrap_servers": {"default": "localhost:9092", "description": "What KAFKA_BOOTSTRAP_SERVERS names."}
    },
}


def document() -> Document:
    """Return the document."""
    told: Document = settings.SPECTACULAR_SETTINGS
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Marketplace events",
            "version": settings.VERSION,
            "description": DESCRIPTION,
            "contact": told["CONTACT"],
            "license": {"name": told["LICENSE"]["name"]},
            "tags": [{"name": topic} for topic in TOPICS],
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": SERVER},
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": {f"send_{topic}_events": _sending(topic) for topic in TOPICS}
        | {f"receive_{topic}_events": _receiving(topic) for topic in TOPICS},
        "components": {
            "messages": {component_name(one): _message(one) for one in CATALOGUE.values()},
            "schemas": {"EventHeaders": HEADERS} | components(),
        },
    }


def text() -> str:
    """Return the document as YAML, always the same."""
    rendered: bytes = OpenApiYamlRenderer().render(document())  # type: ignore[no-untyped-call]
    return rendered.decode()


def _of(topic: str) -> list[EventType]:
    return [one for one in CATALOGUE.values() if one.topic == topic]


def _channel(topic: str) -> Document:
    return {
        "address": topic,
        "title": f"{topic.title()} events",
        "description": f"What happens to {topic}s, in order per {topic}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {
            component_name(one): {"$ref": f"#/components/messages/{component_name(one)}"} for one in _of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic,
                "topicConfiguration": {name: int(value) for name, value in config().items()},
                "bindingVersion": BINDING_VERSION,
            }
        },
        "tags": [{"name": topic}],
    }


def _sending(topic: str) -> Document:
    return _operation(topic, "send") | {
        "summary": f"The relay publishes what happens to {topic}s.",
        "description": "Out of the outbox, which commits with the write. One relay works at a time.",
    }


def _receiving(topic: str) -> Document:
    group = {"type": "string", "description": "Any name of your own; the analytics consumers' is KAFKA_GROUP_ID."}
    return _operation(topic, "receive") | {
        "summary": f"Consumers read what happens to {topic}s.",
        "description": "The analytics consumers do, and so may everybody else, with a group of their own.",
        "bindings": {"kafka": {"groupId": group, "bindingVersion": BINDING_VERSION}},
    }


def _operation(topic: str, action: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{component_name(one)}"} for one in _of(topic)],
        "tags": [{"name": topic}],
    }


def _message(event_type: EventType) -> Document:
    of_this_type = {"type": "object", "properties": {"ce_type": {"const": event_type.name}}}
    return {
        "name": event_type.name,
        "title": event_type.name,
        "summary": f"Sent when {event_type.sent_when}.",
        "contentType": "application/json",
        "headers": {"type": "object", "allOf": [{"$ref": _HEADERS}, of_this_type]},
        "payload": {"$ref": f"#/components/schemas/{component_name(event_type)}"},
        "bindings": {"kafka": {"key": _KEY, "bindingVersion": BINDING_VERSION}},
        "examples": [example(event_type)],
        "tags": [{"name": event_type.topic}],
    }


def example(event_type: EventType) -> Document:
    """Return a message of this type as it would be published."""
    data = dict(event_type.example) or _deletion_example(event_type)
    entity_id = data.get("id") or data[f"{event_type.entity}_id"]
    moment, version = data.get("updated_at", _DELETED_AT), data.get("version", 4)
    payload = {
        "event_type": event_type.name,
        "event_id": event_id(event_type.entity, entity_id, version),
        "timestamp": moment,
        "entity_id": entity_id,
        "version": version,
        "data": data,
    }
    headers = {
        "ce_specversion": "1.0",
        "ce_id": payload["event_id"],
        "ce_type": event_type.name,
        "ce_source": SOURCE,
        "ce_time": moment,
        "content-type": "application/json",
        "traceparent": _TRACEPARENT,
    }
    return {"name": component_name(event_type), "headers": headers, "payload": payload}


def _deletion_example(event_type: EventType) -> Document:
    (created,) = (one for one in CATALOGUE.values() if one.name == f"{event_type.entity}.created")
    return {f"{event_type.entity}_id": created.example["id"], "deleted_at": _DELETED_AT}
