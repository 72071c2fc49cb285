"""Sign-ups with a first order, and monthly cohorts, against numbers that were reckoned up by hand."""

from datetime import date

import pytest

from analytics.reports.customers import sign_ups
from tests.analytics.conftest import apply
from tests.analytics.reports.rows import answer, day, days, deleted, line, made, order, values

pytestmark = pytest.mark.django_db
LAMP = line("lamp", "north", 1, 100)


def test_sign_ups_with_a_first_order_within_seven_days(db):
    apply(
        made("user", "before", "09T23:59:59.999999Z"),
        made("user", "in time", "10T00:00:00Z"),
        made("user", "too late", "10T23:59:59.999999Z"),
        made("user", "cancels", "10 12:00"),
        made("user", "leaves", "10 13:00"),
        made("user", "ordered before", "10 14:00"),
        made("user", "at once", "12T23:59:59.999999Z"),
        made("user", "after", "13T00:00:00Z"),
    )
    apply(deleted("user", "leaves"))
    apply(
        *(order(f"o {name}", "10 14:00", name, LAMP) for name in ("before", "after")),
        order("o0", "09T23:59:59.999999Z", "ordered before", LAMP),
        order("o1", "17T23:59:59.999999Z", "in time", LAMP),
        order("o2", "18T00:00:00Z", "too late", LAMP),
        order("o3", "11 12:00", "cancels", LAMP, reason=None),
        order("o4", "19 12:00", "cancels", LAMP),
        order("o5", "12T23:59:59.999999Z", "at once", LAMP),
    )
    assert values("new-users", days(10, 13), today=day(19)) == [
        (day(10), 5, 1, 0.2, True),
        (day(11), 0, 0, None, True),
        (day(12), 1, 1, 1.0, False),
    ]
    assert [row["is_complete"] for row in answer("new-users", days(10, 13), today=day(20))] == [True, True, True]
    assert sign_ups(days(10, 13)).sums == (6, 1)


def test_new_users_is_one_query(db, django_assert_num_queries):
    apply(made("user", "ann", "10 12:00"))
    with django_assert_num_queries(1):
        assert sum(row["sign_ups"] for row in answer("new-users", days(1, 31))) == 1


def month(year: int, number: int) -> date:
    return date(year, number, 1)


@pytest.fixture
def customers(db) -> None:
    placed = {
        "ann": ("2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z", "2026-03-05T10:00:00Z"),
        "bob": ("2026-01-10T10:00:00Z", "2026-01-11T10:00:00Z"),
        "cleo": ("2026-02-28T10:00:00Z", "2026-04-01T00:00:00Z"),
        "dora": ("2025-12-31T23:59:59.999999Z", "2026-03-01T10:00:00Z"),
    }
    orders = [
        order(f"{name}{number}", at, name, LAMP) for name, times in placed.items() for number, at in enumerate(times)
    ]
    apply(*orders, order("no", "2026-02-02T00:00:00Z", "eve", LAMP, status="failed"))


def test_cohorts(customers):
    assert values("cohorts", today=date(2026, 4, 15), months=4) == [
        (month(2026, 1), month(2026, 1), 0, 2, 2, 1.0),
        (month(2026, 1), month(2026, 2), 1, 2, 1, 0.5),
        (month(2026, 1), month(2026, 3), 2, 2, 1, 0.5),
        (month(2026, 1), month(2026, 4), 3, 2, 0, 0.0),
        (month(2026, 2), month(2026, 2), 0, 1, 1, 1.0),
        (month(2026, 2), month(2026, 3), 1, 1, 0, 0.0),
        (month(2026, 2), month(2026, 4), 2, 1, 1, 1.0),
    ]


def test_as_many_cohorts_as_asked_for_over_the_end_of_a_year(customers):
    found = values("cohorts", today=date(2026, 4, 15), months=5)
    assert found[:5] == [
        (month(2025, 12), month(2025, 12), 0, 1, 1, 1.0),
        (month(2025, 12), month(2026, 1), 1, 1, 0, 0.0),
        (month(2025, 12), month(2026, 2), 2, 1, 0, 0.0),
        (month(2025, 12), month(2026, 3), 3, 1, 1, 1.0),
        (month(2025, 12), month(2026, 4), 4, 1, 0, 0.0),
    ]
    assert len(found) == 12
    assert values("cohorts", today=date(2026, 4, 15), months=1) == []


def test_what_lies_after_today_is_left_out(customers):
    assert values("cohorts", today=date(2026, 1, 31), months=1) == [(month(2026, 1), month(2026, 1), 0, 2, 2, 1.0)]
