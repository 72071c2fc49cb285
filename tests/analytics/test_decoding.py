"""What is refused as a bad message, with a reason that names the place."""

import contextlib
import itertools

import pytest

from analytics.columns import BadMessage
from analytics.decoding import decode
from tests.analytics import events
from tests.analytics.events import event, item, new_id, raw, variant

ID = "0123456789abcdef01234567"


def changed(event_type="user.created", path="", value=None, **changes):
    """Return an event with one value replaced, by its dotted path."""
    sent = event(event_type, ID, **changes)
    *parents, name = path.split(".")
    node = sent
    for parent in parents:
        node = node[int(parent)] if isinstance(node, list) else node[parent]
    node[name] = value
    return raw(sent)


BROKEN = {
    "no value": (None, "the message is empty"),
    "empty": (b"", "the message is empty"),
    "no JSON": (b"hello", "malformed"),
    "cut off": (raw(event("user.created", ID))[:-20], "truncated|malformed"),
    "not UTF-8": (raw(event("user.created", ID)).replace(b"Ada", b"\xff\xfe"), "utf-8"),
    "a list": (b"[]", "Expected `object`"),
    "null": (b"null", "Expected `object`"),
    "nested too deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion"),
    "nested too deep in data": (
        raw(event("post.created", ID)).replace(b'"image"', b"[" * 100_000 + b"]" * 100_000, 1),
        "recursion",
    ),
    "lone surrogate": (
        raw(event("user.created", ID)).replace(b"Ada", b"\\ud83d"),
        "surrogate|truncated|Invalid|malformed",
    ),
    "lone low surrogate": (raw(event("user.created", ID)).replace(b"Ada", b"\\udc00"), "surrogate|Invalid|malformed"),
}


@pytest.mark.parametrize(("value", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_json(value, reason):
    with pytest.raises(BadMessage, match=reason):
        decode("user", ID.encode(), value)


def test_json_that_is_nested_deeper_than_mariadb_takes():
    def nested(levels):
        return raw(event("post.created", ID)).replace(b'"image"', b"[" * levels + b"]" * levels, 1)

    decode("post", ID.encode(), nested(29))  # in an object in a list
    with pytest.raises(BadMessage, match="nested deeper than 31"):
        decode("post", ID.encode(), nested(30))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("event_type", "user.exploded", "unknown event type 'user.exploded'"),
        ("event_type", None, "event_type"),
        ("event_type", ["user.created"], "event_type"),
        ("event_type", "order.created", "does not belong into topic user"),
        ("event_id", "x" * 37, "event_id"),
        ("timestamp", "yesterday", "not an ISO 8601 time"),
        ("timestamp", "2026-01-01T00:00:00", "without a zone"),
        ("timestamp", "0001-01-01T00:00:00+14:00", "out of range"),
        ("version", 0, "version"),
        ("version", -1, "version"),
        ("version", 2**31, "version"),
        ("version", 1.5, "version"),
        ("version", "1", "version"),
        ("version", True, "version"),
        ("version", None, "version"),
        ("entity_id", "f" * 24, "key is not the entity's id"),
        ("entity_id", 5, "entity_id"),
        ("data", None, "object"),
        ("data", [], "object"),
        ("data.id", "f" * 24, "another entity"),
        ("data.id", None, "id"),
        ("data.contact_info", None, "contact_info"),
        ("data.contact_info.primary_email", None, "contact_info.primary_email"),
        ("data.contact_info.primary_email", 7, "contact_info.primary_email"),
        ("data.contact_info.primary_email", "e" * 256, "length <= 255 - at `\\$.contact_info.primary_email`"),
        ("data.profile", "x", "profile"),
        ("data.profile.bio", "b" * 501, "profile.bio"),
        ("data.deleted_at", "soon", "not an ISO 8601 time"),
        ("data.created_at", 1700000000, "created_at"),
    ],
)
def test_bad_values_of_a_user(path, value, reason):
    with pytest.raises(BadMessage, match=reason):
        decode("user", ID.encode(), changed(path=path, value=value))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("data.base_price_cents", 2**63, "base_price_cents"),
        ("data.base_price_cents", 2**53, "<= 9007199254740991 - at `\\$.base_price_cents`"),
        ("data.base_price_cents", -(2**53), "base_price_cents"),
        ("data.stats.view_count", 2**53, "stats.view_count"),
        ("data.variants.A.quantity", 2**53, "quantity"),
        ("data.base_price_cents", 1.5, "base_price_cents"),
        ("data.base_price_cents", True, "base_price_cents"),
        ("data.variants", [], "variants"),
        ("data.variants", None, "variants"),
        ("data.variants.A", None, "variants"),
        ("data.variants.A.attributes", None, "attributes"),
        ("data.variants.A.attributes", "x", "attributes"),
        ("data.variants.A.package_dimensions.width_cm", "wide", "width_cm"),
        ("data.variants.A.variant_name", "n" * 201, "variant_name"),
    ],
)
def test_bad_values_of_a_product(path, value, reason):
    with pytest.raises(BadMessage, match=reason):
        decode("product", ID.encode(), changed("product.created", path, value, variants={"A": variant()}))


def test_a_variant_key_that_is_too_long():
    with pytest.raises(BadMessage, match="length <= 200"):
        decode("product", ID.encode(), raw(event("product.created", ID, variants={"k" * 201: variant()})))


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([item(1), item(1)], "items: a key is there twice"),
        ([item(1, quantity=2**31)], "items\\[0\\].quantity"),
        ([item(1, total_cents=2**53)], "items\\[0\\].total_cents"),
        ([item(n, total_cents=2**53 - 1) for n in (1, 2)], "Expected `int` <="),
        ([item(n, quantity=2**30) for n in (1, 2)], "Expected `int` <="),
        ([item(1, shipped_at="then")], "not an ISO 8601 time"),
        ([None], "items"),
    ],
)
def test_bad_items_of_an_order(items, reason):
    with pytest.raises(BadMessage, match=reason):
        decode("order", ID.encode(), raw(events.envelope("order.created", ID, 1, events.order() | {"items": items})))


@pytest.mark.parametrize(
    ("data", "reason"),
    [({"deleted_at": None}, "deleted_at"), ({"user_id": "x"}, "another"), ({"deleted_at": "x"}, "ISO")],
)
def test_bad_deletions(data, reason):
    with pytest.raises(BadMessage, match=reason):
        decode("user", ID.encode(), raw(events.envelope("user.deleted", ID, 2, data)))


@pytest.mark.parametrize("key", [None, b"", b"f" * 24, ID.encode() + b" "])
def test_the_key_is_the_entity_id(key):
    with pytest.raises(BadMessage, match="key is not the entity's id"):
        decode("user", key, raw(event("user.created", ID)))


def test_times_come_out_in_utc_as_django_writes_them():
    sent = event("user.created", ID)
    sent["timestamp"] = "2026-01-01T01:30:00.5+02:00"
    assert decode("user", ID.encode(), raw(sent)).envelope[2] == "2025-12-31 23:30:00.500000"


def test_no_random_damage_gets_through_as_another_error():
    value = raw(event("order.created", new_id()))
    key = value[value.index(b'entity_id":"') + 12 :][:24]
    decode("order", key, value)
    for position, byte in itertools.product(range(0, len(value), 7), b'\x00"{9'):
        damaged = bytearray(value)
        damaged[position] = byte
        # Damage inside a text goes unnoticed; anything else is refused, and never as another error.
        with contextlib.suppress(BadMessage):
            decode("order", key, bytes(damaged))
