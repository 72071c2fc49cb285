"""Making demo data in tests, and reading it."""

import io
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command

from marketplace import mongo

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday


def run(command: str, *arguments: str, **options: Any) -> str:
    """Run a seeding command up to UNTIL, and return what it wrote."""
    out = io.StringIO()
    call_command(command, f"--until={UNTIL:%Y-%m-%d}", *arguments, stdout=out, **options)
    return out.getvalue()


def stored(collection: str) -> list[dict[str, Any]]:
    """Return all documents of a collection."""
    return list(mongo.database()[collection].find())


def empty() -> None:
    """Delete all documents."""
    for name in mongo.database().list_collection_names():
        mongo.database()[name].delete_many({})
