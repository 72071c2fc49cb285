"""The dashboard's signs of the pipeline's health: when they are well, when somebody should look, when nobody knows."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.dashboard_health import duration, signs

NOW = datetime.now(UTC)


def row(measure, value, subject="", at=NOW, is_stale=False, note=""):
    return {"measure": measure, "subject": subject, "value": value, "at": at, "is_stale": is_stale, "note": note}


def told(**changes):
    """What the report says of a pipeline that is well, with changes."""
    values = {
        "lag": row("lag", 3, "analytics: order/0"),
        "p50": row("event_to_row_p50", 80, "last hour"),
        "p95": row("event_to_row_p95", 400, "last hour"),
        "p50_day": row("event_to_row_p50", None, "last 24 hours"),
        "p95_day": row("event_to_row_p95", None, "last 24 hours"),
        "backlog": row("outbox_backlog", 0),
        "age": row("outbox_age", 0.0),
        "letters": row("open_dead_letters", 0),
        "verification": row("last_verification", 0),
    } | changes
    return {
        sign.title: (sign.state, sign.value, sign.detail) for sign in signs([one for one in values.values() if one])
    }


def test_a_pipeline_that_is_well():
    assert {state for state, *_ in told().values()} == {"ok"}
    assert told()["Event to row"] == ("ok", "80 ms median", "95 of 100 within 400 ms, last hour")


@pytest.mark.parametrize(
    ("title", "changes", "expected"),
    [
        ("Consumer lag", {"lag": row("lag", 1000)}, ("warn", "1,000 events", "in 1 partition")),
        ("Consumer lag", {"lag": row("lag", 0, is_stale=True)}, ("warn", "0 events", "no word of 1 of 1")),
        ("Consumer lag", {"lag": None}, ("warn", "unknown", "No consumer has ever reported")),
        ("Event to row", {"p95": row("event_to_row_p95", 10_000, "last hour")}, ("warn", "80 ms median", "10.0 s")),
        (
            "Event to row",
            {"p95": row("event_to_row_p95", 2_678_400_000, "last hour")},
            ("unknown", "old events", "within 31.0 d, last hour: imported"),
        ),
        ("Event to row", {"p95": row("event_to_row_p95", None, "last hour")}, ("unknown", "no events", "24 hours")),
        (
            "Outbox",
            {"backlog": row("outbox_backlog", 5), "age": row("outbox_age", 61.0)},
            ("warn", "5 events", "oldest for 1.0 min"),
        ),
        (
            "Outbox",
            {"backlog": row("outbox_backlog", None, note="MongoDB does not answer")},
            ("warn", "unknown", "MongoDB does not answer"),
        ),
        ("Dead letters", {"letters": row("open_dead_letters", 1)}, ("warn", "1 open", "could not be applied")),
        ("Verification", {"verification": row("last_verification", 2)}, ("warn", "2 different", "UTC")),
        (
            "Verification",
            {"verification": row("last_verification", 0, at=NOW - timedelta(days=8))},
            ("warn", "no difference", "UTC"),
        ),
        (
            "Verification",
            {"older": row("last_verification", 3, "roll-ups: orders"), "oldest": row("last_verification", 4, "tables")},
            ("warn", "7 different", "roll-ups: orders, 20"),
        ),
        ("Verification", {"verification": row("last_verification", None)}, ("unknown", "never", "verify_analytics")),
    ],
)
def test_what_somebody_should_look_at(title, changes, expected):
    signs = told(**changes)
    state, value, detail = signs.pop(title)
    assert (state, value) == expected[:2]
    assert expected[2] in detail
    assert {state for state, *_ in signs.values()} == {"ok"}


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (90_000, "1.5 min"), (86_400_000, "1.0 d")],
)
def test_durations(milliseconds, text):
    assert duration(milliseconds) == text
