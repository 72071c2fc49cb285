"""The record of exports: who took out what, and whether all of it."""

import logging
from collections.abc import Iterable, Iterator

import pytest

from analytics import exports
from analytics.models import Export

pytestmark = pytest.mark.django_db


def lines(rows: Iterable[int]) -> Iterator[str]:
    """A head, then chunks of two rows: what is left comes last."""
    yield "head"
    batch: list[int] = []
    for row in rows:
        batch.append(row)
        if len(batch) == 2:
            yield str(batch)
            batch = []
    if batch:
        yield str(batch)


def export(rows: Iterable[int]) -> Iterator[str]:
    return exports.recorded(rows, lines, actor="ann", what="orders", filters="status__exact=pending")


def stored() -> list[tuple[str, str, str, int | None]]:
    return list(Export.objects.values_list("actor", "what", "filters", "rows"))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_an_export_is_recorded_before_its_first_row_and_counted_after_its_last_chunk(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chunks = export(range(count))
    assert stored() == [("ann", "orders", "status__exact=pending", None)]
    for _ in range(1 + (count + 1) // 2):
        next(chunks)
    assert stored()[0][3] is None
    assert list(chunks) == []
    assert stored()[0][3] == count
    assert [one.getMessage() for one in caplog.records if one.name == "analytics.exports"] == [
        f"ann exported orders?status__exact=pending: {count} rows, in full"
    ]


def test_a_client_that_goes_away_leaves_no_number(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chunks = export(range(9))
    assert [next(chunks), next(chunks)] == ["head", "[0, 1]"]
    chunks.close()  # type: ignore[attr-defined]  # a generator, as every streamed answer's
    assert stored()[0][3] is None
    assert "ann exported orders?status__exact=pending: 2 rows, cut off" in caplog.messages


def test_an_error_on_the_way_is_no_success(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(export(broken()))
    assert stored()[0][3] is None
    assert "cut off" in caplog.text
