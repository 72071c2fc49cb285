"""The dashboard's card about the pipeline: what the `pipeline` report says, as a few signs that are well or are not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from analytics import dashboard_links as links
from analytics.reports.report import Row

# From here on somebody should look: events that are behind, how long events take, how long the oldest event waits.
LAG_EVENTS: Final = 1000
DELAY_MS: Final = 10_000
# Events this old were imported with the times of what they tell of, as demo data is, or waited for an outage to end.
# Nothing tells these apart, and while an outage lasts, lag and outbox show it.
OLD_MS: Final = 86_400_000
OUTBOX_SECONDS: Final = 60
VERIFIED_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of the pipeline's health. `state` is ok, warn or unknown; `detail` says more, `url` leads on."""

    title: str
    state: str
    value: str
    detail: str = ""
    url: str = ""


def signs(rows: Sequence[Row]) -> Iterator[Sign]:
    """Yield the signs that the report's rows give."""
    yield _lag(rows)
    yield _delay(rows)
    yield _outbox(rows)
    yield _letters(rows)
    yield _verification(rows)


def _of(rows: Sequence[Row], measure: str, subject: str | None = None) -> list[Row]:
    return [row for row in rows if row["measure"] == measure and subject in (None, row["subject"])]


def _state(is_well: bool) -> str:  # noqa: FBT001  # the only thing it is told
    return "ok" if is_well else "warn"


def _lag(rows: Sequence[Row]) -> Sign:
    partitions = _of(rows, "lag")
    if not partitions:
        return Sign("Consumer lag", "warn", "unknown", "No consumer has ever reported.")
    lag = int(sum(row["value"] for row in partitions))
    stale = sum(row["is_stale"] for row in partitions)
    detail = f"no word of {stale} of {len(partitions)} lately: is the consumer running?" if stale else ""
    return Sign(
        "Consumer lag",
        _state(not stale and lag < LAG_EVENTS),
        f"{lag:,} events",
        detail or f"in {len(partitions)} partition{'s' * (len(partitions) != 1)}",
    )


def _delay(rows: Sequence[Row]) -> Sign:
    for window in ("last hour", "last 24 hours"):
        p50, p95 = (_of(rows, f"event_to_row_p{share}", window)[0]["value"] for share in (50, 95))
        if p95 is not None:
            return _delay_within(window, p50, p95)
    return Sign("Event to row", "unknown", "no events", "in the last 24 hours")


def _delay_within(window: str, p50: float, p95: float) -> Sign:
    detail = f"95 of 100 within {duration(p95)}, {window}"
    if p95 >= OLD_MS:
        return Sign("Event to row", "unknown", "old events", f"{detail}: imported, or held up by an outage")
    return Sign("Event to row", _state(p95 < DELAY_MS), f"{duration(p50)} median", detail)


def _outbox(rows: Sequence[Row]) -> Sign:
    backlog, age = (_of(rows, measure)[0] for measure in ("outbox_backlog", "outbox_age"))
    if backlog["value"] is None:
        return Sign("Outbox", "warn", "unknown", backlog["note"])
    detail = f"oldest for {duration(1000 * age['value'])}" if backlog["value"] else "nothing waits to be published"
    return Sign("Outbox", _state(age["value"] < OUTBOX_SECONDS), f"{backlog['value']:,.0f} events", detail)


def _letters(rows: Sequence[Row]) -> Sign:
    count = _of(rows, "open_dead_letters")[0]["value"]
    detail = "messages that could not be applied" if count else "every message was applied"
    return Sign("Dead letters", _state(not count), f"{count:,} open", detail, links.dead_letters())


def _verification(rows: Sequence[Row]) -> Sign:
    runs = _of(rows, "last_verification")
    wrong = [run for run in runs if run["value"]]
    newest = (wrong or runs)[0]
    if newest["value"] is None:
        return Sign("Verification", "unknown", "never", "run manage.py verify_analytics")
    at = f"{newest['at']:%Y-%m-%d %H:%M} UTC"
    if wrong:
        count = sum(run["value"] for run in wrong)
        return Sign("Verification", "warn", f"{count:,.0f} different", f"{newest['subject']}, {at}")
    is_recent = datetime.now(UTC) - newest["at"] < VERIFIED_WITHIN
    return Sign("Verification", _state(is_recent), "no difference", at)


def duration(milliseconds: float) -> str:
    """Return a length of time in the unit that fits it."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if milliseconds >= size:
            return f"{milliseconds / size:.1f} {unit}"
    return f"{milliseconds:.0f} ms"
