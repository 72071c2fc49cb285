"""Golden events: what any version has published is decoded and projected as it was then, for ever."""

from typing import Any

import orjson
import pytest
from django.conf import settings
from django.db import transaction

from analytics import writer
from analytics.models import Tombstone
from marketplace.events.catalogue import CATALOGUE
from marketplace.representation import to_json
from tests import events as schemas
from tests.analytics import shop
from tests.golden import files, story
from tests.marketplace.test_openapi_examples import stable

GOLDEN = [(version, name) for version in files.versions() for name in files.events(version)]


def projected(*values: bytes) -> dict[str, Any]:
    """Apply events to empty tables. Return what is in them then, as JSON would have it."""
    shop.empty()
    with transaction.atomic():
        for value in values:
            writer.apply([files.decoded(value)])
    tables = shop.tables() | {
        "tombstones": list(Tombstone.objects.values("entity", "entity_id", "version", "deleted_at"))
    }
    found: dict[str, Any] = orjson.loads(to_json({name: rows for name, rows in tables.items() if rows}))
    return found


def in_order(values: dict[str, bytes]) -> list[bytes]:
    """Return the events that were published in a story, by time."""
    return sorted(
        (value for name, value in values.items() if name in CATALOGUE), key=lambda one: orjson.loads(one)["timestamp"]
    )


def as_then(now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of today with the columns that there were then: tables may have got more since."""
    return {
        table: [{column: row[column] for column in old} for row, old in zip(now[table], rows, strict=True)]
        for table, rows in then.items()
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("version", "name"), GOLDEN)
def test_an_event_of_then_gives_the_rows_of_then(version: str, name: str) -> None:
    value = files.events(version)[name]
    then = files.rows(version)[name]
    now = projected(value)
    assert now.keys() == then.keys()
    assert as_then(now, then) == then


@pytest.mark.django_db
@pytest.mark.parametrize("version", files.versions())
def test_all_events_of_then_together(version: str) -> None:
    then = files.rows(version)[files.ALL]
    now = projected(*in_order(files.events(version)))
    assert now.keys() == then.keys()
    assert as_then(now, then) == then


@pytest.mark.parametrize(("version", "name"), GOLDEN)
def test_the_schemas_of_today_take_an_event_of_then(version: str, name: str) -> None:
    found = schemas.problems(orjson.loads(files.events(version)[name]), exact=False)
    assert found == [], "a field that came later is optional, or marked added_later=True; nothing else may change"


def test_golden_files_are_never_changed() -> None:
    listed = [line.split("  ")[::-1] for line in files.SUMS.read_text().splitlines()]
    assert sorted(map(tuple, listed)) == list(files.digests()), "files may be added (--write-golden), and that is all"


@pytest.mark.django_db
@pytest.mark.usefixtures("api")
def test_each_type_is_published_as_the_document_says(request: pytest.FixtureRequest) -> None:
    """Every type comes, like its example and by its schema; with --write-golden they become this version's files."""
    told = {orjson.loads(value)["event_type"]: value for value in story.told()[::-1]}  # the first of each type
    assert set(told) == set(CATALOGUE)
    for name, value in told.items():
        event, kind = orjson.loads(value), CATALOGUE[name]
        assert schemas.problems(event) == []
        assert kind.is_deletion or stable(event["data"]) == stable(dict(kind.example))
    if request.config.getoption("--write-golden"):
        golden = told | dict(story.extremes())
        rows = {name: projected(value) for name, value in golden.items()}
        files.write(settings.VERSION, golden, rows | {files.ALL: projected(*in_order(golden))})
    assert settings.VERSION in files.versions(), "a release has golden events: run this test with --write-golden"
