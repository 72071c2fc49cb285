"""Query parameters of lists: page size, offset, and the base of each list's filters."""

from typing import Any

from rest_framework import serializers

from marketplace.api import fields

MAX_LIMIT = 100
MAX_SKIP = 1_000_000

Query = dict[str, Any]  # validated parameters by name; filters that were not given are missing


class ListQuery(serializers.Serializer):  # type: ignore[type-arg]
    """`limit` and `skip`. Lists with filters inherit and add theirs."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_LIMIT, default=20, help_text="How many entries to answer at most."
    )
    skip = serializers.IntegerField(
        min_value=0, max_value=MAX_SKIP, default=0, help_text="How many entries to leave out from the start."
    )


def id_filter(help_text: str) -> fields.ObjectIdField:
    """Return a filter by the id of another resource."""
    return fields.ObjectIdField(required=False, help_text=help_text)


def status_filter(choices: tuple[str, ...]) -> fields.StatusListField:
    """Return a filter by a comma-separated list of statuses."""
    return fields.StatusListField(
        choices=choices, required=False, help_text=f"Comma-separated, of {', '.join(choices)}."
    )
