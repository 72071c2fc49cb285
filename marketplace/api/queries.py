"""Query parameters of lists: page size, where the page begins, and the base of each list's filters."""

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from rest_framework import serializers

from marketplace.api import cursors, fields
from marketplace.api.serializers import request_field
from marketplace.errors import ValidationError
from marketplace.pages import Position, Window
from marketplace.representation import to_json

MAX_LIMIT = 100
MAX_SKIP = 1_000_000

Query = dict[str, Any]  # validated parameters by name; filters that were not given are missing


class ListQuery(serializers.Serializer):  # type: ignore[type-arg]
    """`limit`, `skip` and `cursor`. Lists with filters inherit and add theirs."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=20, help_text="How many entries to answer at most."
    )
    # No default in the OpenAPI document: generated clients would send it, beside a cursor, too.
    skip = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_SKIP,
        help_text="How many entries to leave out from the start; none if it is not given.",
    )
    cursor = serializers.CharField(
        required=False,
        min_length=cursors.LENGTH,
        max_length=cursors.LENGTH,
        trim_whitespace=False,
        help_text="Where the page begins, from the `Link` header of the page before. Not together with `skip`.",
    )

    def to_internal_value(self, data: Mapping[str, str]) -> Query:
        """Refuse `skip` beside `cursor`, even if it says 0."""
        if "skip" in data and "cursor" in data:
            raise ValidationError.of("cursor", "Not together with skip.")
        query: Query = super().to_internal_value(data)
        return query


class ListRequest:
    """A request for a page of a list: what is asked for, and the URL of the page behind it.

    `given` are the parameters as they came; those that the list does not know are left out of the next page's URL.
    Raises ValidationError for a bad parameter, or a cursor that is none of this list with these filters.
    """

    def __init__(self, path: str, given: Mapping[str, str], serializer: ListQuery) -> None:
        query: Query = serializer.run_validation(given)
        limit, skip, cursor = query.pop("limit"), query.pop("skip", 0), query.pop("cursor", None)
        self.filters = query
        self._path = path
        self._kept = {name: given[name] for name in ("limit", *query) if name in given}
        self._scope = path.encode() + to_json(sorted(query.items()))
        self.window = Window(limit, skip, cursors.decode(cursor, self._scope) if cursor else None)

    def next_path(self, end: Position) -> str:
        """Return path and query of the page behind a position."""
        return _next_path(self._path, tuple(self._kept.items()), self._scope, end, settings.SECRET_KEY)


@functools.lru_cache(256)  # the lists that everybody asks for have the same next page again and again
def _next_path(path: str, kept: tuple[tuple[str, str], ...], scope: bytes, end: Position, key: str) -> str:
    return f"{path}?{urlencode([*kept, ('cursor', cursors.encode(end, scope, key))])}"


def id_filter(help_text: str) -> fields.ObjectIdField:
    """Return a filter by the id of another resource."""
    return fields.ObjectIdField(required=False, help_text=help_text)


def choice_filter(field: Any) -> serializers.Field[Any, Any, Any, Any]:
    """Return a filter by the value of a document field that has choices."""
    chosen = request_field(field, name=field.name, partial=True)
    chosen.allow_null = False
    return chosen


def status_filter(choices: tuple[str, ...]) -> fields.StatusListField:
    """Return a filter by a comma-separated list of statuses."""
    return fields.StatusListField(
        choices=choices, required=False, help_text=f"Comma-separated, of {', '.join(choices)}."
    )
