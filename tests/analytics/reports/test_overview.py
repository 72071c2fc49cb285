"""The answer on all five entities, and its rows."""

from datetime import UTC, datetime

import pytest

from analytics.reports.overview import overview
from analytics.reports.report import Question
from tests.analytics.conftest import apply
from tests.analytics.reports.rows import answer, day, days, deleted, line, made, moment, order

pytestmark = pytest.mark.django_db
QUESTION = Question(today=day(31), period=days(10, 13))


@pytest.fixture
def people(market) -> None:
    apply(
        *(made("user", f"user {number}", f"0{number} 12:00") for number in range(1, 7)),
        made("user", "first", "10T00:00:00Z"),
        made("user", "last", "12T23:59:59.999999Z"),
        made("user", "next", "13T00:00:00Z"),
        made("supplier", "new", "11 12:00", legal_name="New Ltd"),
        made("post", "published", "01 12:00", published_at=moment("12T23:59:59.999999Z")),
        made("post", "next day", "12 12:00", published_at=moment("13T00:00:00Z")),
        made("post", "draft", "10T00:00:00Z", published_at=None),
        made("post", "old draft", "09T23:59:59.999999Z", published_at=None),
        made("post", "gone", "08 12:00", published_at=moment("11 12:00")),
    )
    apply(deleted("user", "first"), deleted("post", "gone"))


def test_totals_of_all_time_and_of_the_range(people):
    found = overview(QUESTION)
    for part in found.values():
        del part["recent"]
    assert found == {
        "users": {"total": 9, "in_range": 2, "by_status": {"active": 8, "deleted": 1}},
        "suppliers": {"total": 3, "in_range": 1, "by_status": {"not_selling": 2, "selling": 1}},
        "products": {"total": 3, "in_range": 0, "by_status": {"active": 1, "draft": 1, "out_of_stock": 1}},
        "orders": {
            "total": 10,
            "in_range": 7,
            "by_status": {"cancelled": 2, "delivered": 1, "failed": 1, "pending": 5, "refunded": 1},
            "revenue_cents": 19_399,
            "revenue_cents_in_range": 7400,
        },
        "posts": {"total": 5, "in_range": 3, "by_status": {"deleted": 1, "draft": 2, "published": 2}},
    }


def test_the_newest_five(people):
    found = overview(QUESTION)
    newest = [row["user_id"] for row in found["users"]["recent"]]
    assert newest == ["next", "last", "first", "user 6", "user 5"]
    assert found["users"]["recent"][2] == {
        "user_id": "first",
        "display_name": "Ada",
        "status": "deleted",
        "created_at": datetime(2026, 3, 10, tzinfo=UTC),
    }
    assert [row["order_id"] for row in found["orders"]["recent"]] == ["o10", "o09", "o08", "o07", "o06"]
    assert found["orders"]["recent"][0] == {
        "order_id": "o10",
        "order_number": "ORD-o10",
        "customer_display_name": "cleo",
        "total_cents": 9999,
        "status": "pending",
        "created_at": datetime(2026, 3, 13, tzinfo=UTC),
    }
    assert [(row["supplier_id"], row["status"]) for row in found["suppliers"]["recent"]] == [
        ("new", "not_selling"),
        ("south", "not_selling"),
        ("north", "selling"),
    ]
    assert [row["product_id"] for row in found["products"]["recent"]] == ["scarf", "lamp", "fan"]
    assert [(row["post_id"], row["status"]) for row in found["posts"]["recent"]] == [
        ("next day", "published"),
        ("draft", "draft"),
        ("old draft", "draft"),
        ("gone", "deleted"),
        ("published", "published"),
    ]


def test_what_is_made_at_once_comes_by_its_id(db):
    apply(*(order(name, "10 10:00", "ann", line("lamp", "north", 1, 1)) for name in "bca"))
    assert [row["order_id"] for row in overview(QUESTION)["orders"]["recent"]] == ["c", "b", "a"]


def test_rows_have_the_same_values_as_the_object(people):
    found = {(row["entity"], row["measure"], row["name"]): row["value"] for row in answer("dashboard", days(10, 13))}
    assert found["orders", "total", None] == 10
    assert found["orders", "revenue_cents", None] == 19_399
    assert found["orders", "by_status", "cancelled"] == 2
    assert found["orders", "recent", "o10.total_cents"] == 9999
    assert found["suppliers", "recent", "new.legal_name"] == "New Ltd"
    assert len(found) == 5 * 2 + 2 + (2 + 2 + 3 + 5 + 3) + (5 * 3 + 3 * 4 + 3 * 4 + 5 * 5 + 5 * 4)


def test_eleven_queries(people, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        overview(QUESTION)
