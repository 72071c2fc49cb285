"""What asyncapi.yaml lets into an event, the consumer takes: the schemas are held against the decoder's own types."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
import pytest

from analytics.decoding import DECODERS, EVENT_TYPES, Envelope
from marketplace.asyncapi.schemas import components
from marketplace.events.catalogue import CATALOGUE
from tests.golden import files

Schema = dict[str, Any]
MAPS = {"variants"}  # whose keys are names
LIMITS = {"maxLength": 1, "maximum": 1, "minimum": -1}  # upper ones and lower ones


def at(reference: str, root: Schema) -> Schema:
    """Return what a reference leads to."""
    return functools.reduce(lambda node, key: node[key], reference.removeprefix("#/").split("/"), root)


def alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """Return the schemas of one type each, without references and combinations, of which a value has to match one."""
    if "$ref" in schema:
        return alternatives(at(schema["$ref"], root), root)
    for combined in ("anyOf", "oneOf"):
        if combined in schema:
            return [one for part in schema[combined] for one in alternatives(part, root)]
    if "allOf" in schema:
        (one,) = (alternatives(part, root) for part in schema["allOf"])
        return one
    kinds = schema.get("type", "string")  # a constant is a text here
    return [schema | {"type": kind} for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def longest(schema: Schema) -> int | None:
    """Return how many characters a text has at most."""
    if "enum" in schema:
        return max(map(len, schema["enum"]))
    if schema.get("format") == "uuid":
        return 36
    counted = re.fullmatch(r"\^\[[^]]+\]\{(\d+)\}\$", schema.get("pattern", ""))
    return int(counted[1]) if counted else schema.get("maxLength")


def refused(ours: Schema, theirs: Schema, roots: tuple[Schema, Schema], path: str = "$") -> Iterator[str]:
    """Yield where a value that is valid by `ours` is refused by `theirs`."""
    if not theirs:
        return  # takes anything
    taken = {one["type"]: one for one in alternatives(theirs, roots[1])}
    for one in alternatives(ours, roots[0]):
        kind = "number" if one["type"] == "integer" and "integer" not in taken else one["type"]
        if kind not in taken:
            yield f"{path}: {one['type']}"
        else:
            yield from _refused(one, taken[kind], roots, path)


def _refused(ours: Schema, theirs: Schema, roots: tuple[Schema, Schema], path: str) -> Iterator[str]:
    for limit, direction in LIMITS.items():
        found = longest(ours) if limit == "maxLength" else ours.get(limit)
        if limit in theirs and (found is None or direction * found > direction * theirs[limit]):
            yield f"{path}: {limit} {theirs[limit]}, but {found}"
    properties = ours.get("properties", {})
    for name in set(theirs.get("required", ())) - set(ours.get("required", ())):
        yield f"{path}.{name}: may be missing"
    for name, inner in theirs.get("properties", {}).items():
        if name not in properties:
            yield f"{path}.{name}: unknown"
        else:
            yield from refused(properties[name], inner, roots, f"{path}.{name}")
    for inner_of in ("items", "additionalProperties"):
        if theirs.get(inner_of):
            yield from refused(ours[inner_of], theirs[inner_of], roots, f"{path}[]")
    if "propertyNames" in theirs:
        yield from _refused(ours["propertyNames"], theirs["propertyNames"], roots, f"{path}.<key>")


def decoder_schema(decoder: msgspec.json.Decoder[Any]) -> Schema:
    """Return the JSON Schema of what a decoder takes."""
    return msgspec.json.schema(decoder.type)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.projection.entity)
def test_data_that_fit_the_schema_fit_the_decoder(decoder: Any) -> None:
    entity = decoder.projection.entity
    root = {"components": {"schemas": components()}}
    pairs = [(entity.title(), decoder_schema(decoder._state))]
    if decoder.projection.deletion_type:
        pairs.append((f"{entity.title()}Deletion", decoder_schema(decoder._deletion)))
    for name, theirs in pairs:
        assert list(refused(components()[name], theirs, (root, theirs))) == [], name


def test_every_envelope_fits() -> None:
    theirs = msgspec.json.schema(Envelope)
    assert list(refused(components()["EventEnvelope"], theirs, ({}, theirs))) == []
    assert set(EVENT_TYPES) == set(CATALOGUE)


GOLDEN = files.events(files.versions()[-1])


@pytest.mark.parametrize("name", GOLDEN)
def test_fields_of_a_newer_version_change_nothing(name: str) -> None:
    event, new = orjson.loads(GOLDEN[name]), {"from_the_future": {"a": [1]}}
    data = {
        key: value | new if isinstance(value, dict) and key not in MAPS else value
        for key, value in event["data"].items()
    }
    newer = files.decoded(orjson.dumps(event | new | {"data": data | new}))
    assert newer == files.decoded(GOLDEN[name])


def test_what_does_not_fit_is_seen() -> None:
    ours = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"], "maxLength": 9}, "b": {"type": "integer"}},
        "required": ["b"],
    }
    theirs = {
        "type": "object",
        "properties": {"a": {"type": "string", "maxLength": 5}, "b": {"type": "integer", "maximum": 7}, "c": {}},
        "required": ["a", "b"],
    }
    assert sorted(refused(ours, theirs, ({}, {}))) == [
        "$.a: maxLength 5, but 9",
        "$.a: may be missing",
        "$.a: null",
        "$.b: maximum 7, but None",
        "$.c: unknown",
    ]
