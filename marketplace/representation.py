"""One serialization for API answers and events, from stored BSON straight to JSON.

A document class is compiled once per audience into a function over the stored dict: declared fields only, `_id` as
`id`, absent optional fields as null, private fields never. So nothing of a hot read builds MongoEngine objects.
Fields are marked where they are declared: `private=True` (never shown), `owner_only=True` (null for others),
`in_events=False` (left out of events).
"""

import functools
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal, ParamSpec, TypeVar, cast

import bson
import mongoengine as me
import orjson
from bson import CodecOptions, ObjectId

P = ParamSpec("P")
R = TypeVar("R")
# The id first, what every document has last.
_PLACES = {"id": -1, "version": 1, "created_at": 2, "updated_at": 3}
Audience = Literal["public", "owner", "event"]


def memoized(compile_once: Callable[P, R]) -> Callable[P, R]:
    """`functools.cache` with the function's own signature; mypy does not take MongoEngine's classes for hashable."""
    return cast("Callable[P, R]", functools.cache(compile_once))


Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@memoized
def shape(document: type[me.base.BaseDocument], audience: Audience) -> Shape:
    """Return the function that turns a stored dict of `document` into what the audience sees."""
    fields = in_order(shown_fields(document, audience))
    hidden = [name for name, field in fields.items() if audience == "public" and getattr(field, "owner_only", False)]
    defaults = {name: None if callable(field.default) else field.default for name, field in fields.items()}
    defaults |= {name: _empty(field) for name, field in fields.items() if _empty(field) is not None}
    known = defaults.keys()
    nested = [(name, inner) for name, field in fields.items() if (inner := _nested(field, audience)) is not None]

    plain = not hidden and not nested

    def shaped(stored: Mapping[str, Any]) -> Mapping[str, Any]:
        if plain and stored.keys() == known:
            return stored
        out = {**defaults, **stored}  # several times quicker than going through the fields
        if "_id" in out:
            out["id"] = out.pop("_id")
        if out.keys() != known:  # private fields, and those of another version of the code
            out = {name: out[name] for name in known}
        for name in hidden:
            out[name] = None
        for name, inner in nested:
            if out[name] is not None:
                out[name] = inner(out[name])
        return out

    return shaped


# Answers that are asked for again and again are kept ready. Their key is the stored bytes, so an answer is always that
# of the document as MongoDB has it now. Larger documents are rendered each time, which bounds the memory.
READY_ANSWERS = 1024
READY_BYTES = 8 << 10


def ready(document: type[me.base.BaseDocument], audience: Audience, raw: bytes) -> orjson.Fragment:
    """Return the JSON of what the audience sees of a document in BSON."""
    return (_ready if len(raw) <= READY_BYTES else _rendered)(document, audience, raw)


def decoded(raw: bytes) -> dict[str, Any]:
    """Return a document in BSON as the driver gives it."""
    return bson.decode(raw, CodecOptions(tz_aware=True))


def _rendered(document: type[me.base.BaseDocument], audience: Audience, raw: bytes) -> orjson.Fragment:
    return orjson.Fragment(to_json(shape(document, audience)(decoded(raw))))


_ready = cast("Callable[[Any, Audience, bytes], orjson.Fragment]", functools.lru_cache(READY_ANSWERS)(_rendered))


def in_order(fields: Mapping[str, R]) -> dict[str, R]:
    """Return the fields of a document in the order in which answers show them."""
    return {name: fields[name] for name in sorted(fields, key=lambda name: _PLACES.get(name, 0))}


def shown_fields(document: Any, audience: Audience) -> dict[str, Any]:
    """Return the declared fields that the audience sees, if only as null."""
    return {name: field for name, field in document._fields.items() if _shown(field, audience)}


def _shown(field: Any, audience: Audience) -> bool:
    if getattr(field, "private", False):
        return False
    return audience != "event" or getattr(field, "in_events", True)


def _empty(field: Any) -> Any:
    """Return what an absent list or map looks like: MongoEngine does not store empty ones."""
    if isinstance(field, me.ListField):
        return []
    return {} if isinstance(field, me.DictField) else None


def _nested(field: Any, audience: Audience) -> Callable[[Any], Any] | None:
    """Return the shape of a field's embedded documents: one, a list or a map of them."""
    kind = _embedded(field)
    if kind is None:
        return None
    one = shape(kind, audience)
    if isinstance(field, me.EmbeddedDocumentField):
        return one
    if isinstance(field, me.DictField):
        return lambda entries: {key: one(value) for key, value in entries.items()}
    return lambda entries: [one(entry) for entry in entries]


def _embedded(field: Any) -> Any:
    """Return the class of a field's embedded documents, None for a field without any."""
    holder = field if isinstance(field, me.EmbeddedDocumentField) else getattr(field, "field", None)
    return holder.document_type if isinstance(holder, me.EmbeddedDocumentField) else None


@memoized
def has_owner_only(document: type[me.base.BaseDocument]) -> bool:
    """Return whether the owner of such a document sees more of it than the public does."""
    return any(
        getattr(field, "owner_only", False) or ((kind := _embedded(field)) is not None and has_owner_only(kind))
        for field in document._fields.values()
    )


def _plain(value: object) -> str:
    """Return the JSON form of what BSON or SQL has and JSON has not."""
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`."""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def to_json(value: Any, *, indented: bool = False) -> bytes:
    """Return UTF-8 JSON of shaped documents and anything else of plain types."""
    option = orjson.OPT_PASSTHROUGH_DATETIME | (orjson.OPT_INDENT_2 if indented else 0)
    return orjson.dumps(value, default=_plain, option=option)
