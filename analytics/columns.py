"""From a value of an event's JSON to what a column takes: checks and conversions derived from the model fields.

Built once at import; the functions here run for every value of every event, so they are short and do no lookups.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import models

from analytics.projections import MAP_KEY

Check = Callable[[Any], Any]
Row = list[Any]

_INTEGER_BITS = {"IntegerField": 31, "BigIntegerField": 63}


class BadMessage(ValueError):
    """A message that cannot become rows; the text says why."""


def check_for(field: "models.Field[Any, Any]") -> Check:
    """Return the function that gives what the field's column takes for a JSON value, or raises BadMessage."""
    kind = field.get_internal_type()
    if kind in _INTEGER_BITS:
        check = _integer(-(2 ** _INTEGER_BITS[kind]), 2 ** _INTEGER_BITS[kind] - 1)
    elif kind in ("CharField", "TextField"):
        check = _text(field.max_length)
    else:
        check = {"DateTimeField": moment, "FloatField": _real, "JSONField": _json}[kind]
    return _or_null(check) if field.null else _required(check)


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _required(check: Check) -> Check:
    if check is not _json:
        return check  # refuses null by its type already
    return lambda value: check(value) if value is not None else _refuse("missing")


def _refuse(why: str) -> Any:
    raise BadMessage(why)


def _text(limit: int | None) -> Check:
    longest = limit or 2**31

    def text(value: Any) -> str:
        if type(value) is str and len(value) <= longest:
            return value
        raise BadMessage(f"not a text of at most {longest} characters")

    return text


def _integer(low: int, high: int) -> Check:
    def integer(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        raise BadMessage(f"not an integer from {low} to {high}")

    return integer


def _real(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    raise BadMessage("not a number")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def moment(value: Any) -> str:
    """Return an ISO 8601 time as the SQL text of that time in UTC, the same text that Django stores."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadMessage("not an ISO 8601 time") from None
    if parsed.tzinfo is None:
        raise BadMessage("a time without a zone")
    if parsed.tzinfo is not UTC:
        parsed = parsed.astimezone(UTC)
    return str(parsed.replace(tzinfo=None))


def columns_of(model: type[models.Model]) -> "dict[str, models.Field[Any, Any]]":
    """Return the fields of a model's table by column name."""
    return {field.column: field for field in model._meta.concrete_fields if field.column}


class RowReader:
    """Reads the values of a table's columns out of JSON objects, in the order of `columns`."""

    def __init__(self, model: type[models.Model], paths: Mapping[str, str], besides: Collection[str]) -> None:
        """Cover all columns of `model` but those in `besides`. Raises ValueError for a path of no column."""
        groups: dict[tuple[str, ...], list[tuple[str, str, Check]]] = {}
        fields = {column: field for column, field in columns_of(model).items() if column not in besides}
        if unknown := paths.keys() - fields.keys():
            raise ValueError(f"{model.__name__} has no column {sorted(unknown)}")
        for column, field in fields.items():
            *parents, name = paths.get(column, column).split(".")
            groups.setdefault(tuple(parents), []).append((column, name, check_for(field)))
        self.columns = [column for group in groups.values() for column, _, _ in group]
        self._groups = [(parents, [(name, check) for _, name, check in group]) for parents, group in groups.items()]

    def read(self, data: dict[str, Any], row: Row) -> None:
        """Append the values to `row`. Raises BadMessage, naming the path, for a value that its column cannot hold."""
        parents: tuple[str, ...] = ()
        name = ""
        try:
            for parents, columns in self._groups:
                get = (_inner(data, parents) if parents else data).get
                for name, check in columns:
                    row.append(check(get(name)))
        except BadMessage as error:
            raise BadMessage(f"{'.'.join((*parents, name))}: {error}") from None


def _inner(data: dict[str, Any], parents: tuple[str, ...]) -> dict[str, Any]:
    """Return the object that a path leads to; an absent one has no values."""
    for name in parents:
        found = data.get(name)
        if found is None:
            return {}
        if type(found) is not dict:
            raise BadMessage(f"{name} is not an object")
        data = found
    return data


def entries(source: Any, *, keyed: bool) -> list[dict[str, Any]]:
    """Return the children as a list of objects; those of a map get their key under MAP_KEY. Raises BadMessage."""
    if keyed:
        if type(source) is not dict:
            raise BadMessage("not a map")
        source = [{**_object(value), MAP_KEY: key} for key, value in source.items()]
    elif type(source) is not list:
        raise BadMessage("not a list")
    return [_object(entry) for entry in source]


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise BadMessage("not an object")
    return value
