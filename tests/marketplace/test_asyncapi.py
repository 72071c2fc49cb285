"""The AsyncAPI document: committed, complete, open to new fields, and its examples are real events."""

import difflib
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import mongoengine as me
import pytest
from django.core.management import CommandError, call_command

from marketplace.api.serializers import event_data
from marketplace.asyncapi.document import text
from marketplace.asyncapi.schemas import schema_of
from marketplace.events.catalogue import CATALOGUE, TOPICS
from tests import events
from tests.dotted import with_value

Json = Any
MESSAGES = events.document()["components"]["messages"]
EXAMPLES = {message["name"]: message["examples"][0] for message in MESSAGES.values()}


def test_the_committed_document_is_what_the_code_says() -> None:
    committed, derived = (one.splitlines(keepends=True) for one in (events.ASYNCAPI.read_text(), text()))
    changes = "".join(difflib.unified_diff(committed, derived, "asyncapi.yaml", "the code"))
    assert not changes, f"run `make asyncapi` and read what changes for consumers:\n{changes[:5000]}"


def test_every_event_type_is_a_message_of_its_topic_that_is_sent_and_received() -> None:
    document = events.document()
    assert list(EXAMPLES) == list(CATALOGUE)
    for topic in TOPICS:
        channel = document["channels"][topic]
        names = [one for one in MESSAGES if MESSAGES[one]["name"].startswith(f"{topic}.")]
        assert channel["address"] == channel["bindings"]["kafka"]["topic"] == topic
        assert list(channel["messages"]) == names
        for action in ("send", "receive"):
            operation = document["operations"][f"{action}_{topic}_events"]
            assert operation["action"] == action
            assert operation["messages"] == [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in names]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid(name: str) -> None:
    example = EXAMPLES[name]
    assert events.problems(example["payload"]) == []
    assert events.header_problems(example["headers"]) == []
    assert example["headers"]["ce_type"] == example["payload"]["event_type"] == name


@pytest.mark.parametrize("name", EXAMPLES)
def test_consumers_may_meet_fields_that_they_do_not_know(name: str) -> None:
    payload = EXAMPLES[name]["payload"]
    newer = payload | {"tenant": "x", "data": payload["data"] | {"loyalty": {"points": 3}}}
    assert events.problems(newer, exact=False) == []
    assert events.problems(newer) != []  # but this version sends none that the document does not have


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event_type", "user.created"),
        ("event_id", "x"),
        ("timestamp", "2026-05-04 10:00:00"),
        ("timestamp", "2026-05-04T10:00:60.000Z"),
        ("version", 0),
        ("entity_id", "x"),
        ("data", None),
        ("data.status", "lost"),
        ("data.items.0.quantity", 0),
        ("data.items.0.quantity", None),
        ("data.customer.email", None),
        ("data.cancellation", {"reason": "xxxxx"}),
        ("data.created_at", "2026-05-04T10:00:00Z"),
    ],
)
def test_what_is_wrong_is_seen_by_both_drafts(path: str, value: Json) -> None:
    schema = schema_of(CATALOGUE["order.created"])
    event = EXAMPLES["order.created"]["payload"]
    for draft in (jsonschema_rs.Draft202012Validator, jsonschema_rs.Draft7Validator):
        checked = draft({key: one for key, one in schema.items() if key != "$schema"}, validate_formats=True)
        assert checked.is_valid(event)
        assert not checked.is_valid(with_value(event, path, value)), draft


def test_no_secret_is_described() -> None:
    document = events.ASYNCAPI.read_text()
    for name in ("password_hash", "stock_takes", "changed_at", "banking_info", "product_ids"):
        assert name not in document


def test_the_command_writes_the_document_or_a_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("asyncapi", file=tmp_path / "asyncapi.yaml")
    assert (tmp_path / "asyncapi.yaml").read_text() == events.ASYNCAPI.read_text()
    call_command("asyncapi", schema="user.deleted")
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["components"]["schemas"]) == {"EventEnvelope", "UserDeleted", "UserDeletion"}
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("asyncapi", file=tmp_path / "no" / "folder")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("asyncapi", "--schema", "user.exploded")


class Later(me.EmbeddedDocument):
    """A document that has got fields since its first events."""

    name = me.StringField(required=True)
    nickname = me.StringField()
    labels = me.ListField(me.StringField(), max_length=3, added_later=True)


def test_fields_that_were_added_later_are_not_required() -> None:
    fields = event_data(Later)().fields
    assert {name: field.required for name, field in fields.items()} == {
        "name": True,
        "nickname": False,
        "labels": False,
    }
