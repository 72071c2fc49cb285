"""From the JSON of an event to the row of a table: msgspec types derived from the model fields and the paths.

Built once at import. Decoding checks types, lengths and ranges in C; a value that its column cannot hold is refused
with its path.
"""

import functools
import operator
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import orjson
from django.db import models
from msgspec import Meta, Struct

from marketplace.fields import MAX_COUNT

Row = list[Any]
# Paths of values, nested as the JSON is: the leaves are types.
Tree = dict[str, Any]

# What MariaDB takes (MySQL: 100). Found out here, it costs one message; refused by the database, a search in its batch.
JSON_DEPTH = 31

# More than MAX_COUNT the API takes nowhere, and the roll-ups add a thousand such numbers up within their 64 bits.
_INTEGER_MAXIMA = {"IntegerField": 2**31 - 1, "BigIntegerField": MAX_COUNT}
_TYPES = {"DateTimeField": str, "FloatField": float, "JSONField": dict[str, Any] | list[Any]}


class BadMessage(ValueError):  # noqa: N818  # what it is, not what went wrong
    """A message that cannot become rows; the text says why."""


def columns_of(model: type[models.Model]) -> "dict[str, models.Field[Any, Any]]":
    """Return the fields of a model's table by column name."""
    return {field.column: field for field in model._meta.concrete_fields if field.column}


def type_of(field: "models.Field[Any, Any]") -> Any:
    """Return the type of the JSON values that the field's column can hold, and the roll-ups can add up."""
    kind = field.get_internal_type()
    if maximum := _INTEGER_MAXIMA.get(kind):
        plain: Any = Annotated[int, Meta(ge=-maximum, le=maximum)]
    elif kind in ("CharField", "TextField"):
        plain = Annotated[str, Meta(max_length=field.max_length)]
    else:
        plain = _TYPES[kind]
    return plain | None if field.null else plain


@functools.lru_cache(maxsize=1024)  # the times within an event are mostly one
def moment(value: str) -> str:
    """Return an ISO 8601 time as the SQL text of that time in UTC, the text that Django stores. Raises BadMessage."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise BadMessage(f"not an ISO 8601 time: {value!r:.40}") from None
    if parsed.tzinfo is None:
        raise BadMessage(f"a time without a zone: {value}")
    try:
        return sql_text(parsed)
    except OverflowError:
        raise BadMessage(f"out of range: {value}") from None


def version_of(stored: object, otherwise: int) -> int:
    """Return a version as it is in the database, or `otherwise`: SQLite stores any type in any column."""
    return stored if isinstance(stored, int) else otherwise


def sql_text(moment: datetime) -> str:
    """Return the SQL text of a time. Raises OverflowError when it has no time in UTC."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    # Most values have fewer brackets than may be nested in each other.
    if text.count("[") + text.count("{") > JSON_DEPTH and _depth(value) > JSON_DEPTH:
        raise BadMessage(f"JSON that is nested deeper than {JSON_DEPTH}")
    return text


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


_CONVERSIONS: dict[str, Callable[[Any], str]] = {"DateTimeField": moment, "JSONField": _json}


class RowType:
    """How the rows of one table are read: `tree` is what JSON holds them, `columns` the order of the values."""

    def __init__(self, model: type[models.Model], paths: Mapping[str, str], besides: Collection[str]) -> None:
        """Cover all columns of `model` but those in `besides`. Raises ValueError for a path of no column."""
        fields = {column: field for column, field in columns_of(model).items() if column not in besides}
        if unknown := paths.keys() - fields.keys():
            raise ValueError(f"{model.__name__} has no column {sorted(unknown)}")
        self.columns = list(fields)
        self.tree: Tree = {}
        for column, field in fields.items():
            *parents, name = paths.get(column, column).split(".")
            node = self.tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[name] = type_of(field)
        self._values = operator.attrgetter(*(paths.get(column, column) for column in fields))
        self._conversions = [
            (position, _CONVERSIONS[kind])
            for position, field in enumerate(fields.values())
            if (kind := field.get_internal_type()) in _CONVERSIONS
        ]

    def row(self, data: Any) -> Row:
        """Return the values of a decoded struct, in the order of `columns`. Raises BadMessage for a bad time."""
        row = list(self._values(data))
        for position, convert in self._conversions:
            if row[position] is not None:
                row[position] = convert(row[position])
        return row


def struct(name: str, tree: Tree) -> type[Struct]:
    """Return the msgspec struct of a tree. A missing value is null; an object whose values may all be null, too."""
    fields: list[Any] = []
    empties: dict[str, Any] = {}
    for key, inner in tree.items():
        kind = struct(f"{name}.{key}", inner) if isinstance(inner, dict) else inner
        if isinstance(inner, dict) and len(kind.__struct_defaults__) == len(kind.__struct_fields__):
            empties[key] = kind()
            kind |= None
        fields.append((key, kind, None) if _takes_null(kind) else (key, kind))
    return msgspec.defstruct(name, fields, kw_only=True, namespace=_filling(empties), gc=False)


def _takes_null(kind: Any) -> bool:
    return type(None) in getattr(kind, "__args__", ())


def _filling(empties: dict[str, Any]) -> dict[str, Any]:
    """Return a `__post_init__` that puts an object of nulls where there is none, so that every path leads somewhere."""
    if not empties:
        return {}

    def fill(self: Any) -> None:
        for key, empty in empties.items():
            if getattr(self, key) is None:
                setattr(self, key, empty)

    return {"__post_init__": fill}
