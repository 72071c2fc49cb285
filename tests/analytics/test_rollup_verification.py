"""verify_analytics --rollups finds every sum that is not what the rows say, names it, and mends it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from analytics.daily import Customer, DailyOrders, MonthlyCohorts
from analytics.decoding import DECODERS
from analytics.models import Order, OrderItem, Post, User, VerificationRun
from analytics.rollup_verification import RollUpVerification
from analytics.rollups import SOURCES
from tests.analytics import shop
from tests.analytics.conftest import apply
from tests.analytics.events import event, item, new_id
from tests.analytics.rollups import TABLES, recounted, stored
from tests.analytics.shell import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def filled(transactional_db: None) -> None:
    """Rows of three months and five customers, with roll-ups that are right."""
    events = [event("user.created", new_id()) for _ in range(3)]
    events += [event("post.created", new_id()) for _ in range(3)]
    for number in range(16):
        made = event("order.created", new_id())
        day = date(2026, 1, 29) + timedelta(days=number // 2 * 7)
        status = "cancelled" if number % 5 == 4 else "pending"
        made["data"] |= {"created_at": f"{day}T00:00:00.000Z", "items": [item(quantity=1 + number)], "status": status}
        made["data"]["customer"]["user_id"] = f"{number % 4:024x}"
        events.append(made)
    apply(*events)
    assert stored() == recounted()


def check(*, repair: bool = False) -> dict[str, int]:
    """Return how many keys of each table are wrong."""
    found: dict[str, int] = {}
    for decoder in SOURCES:
        findings = RollUpVerification(decoder, repair=repair).run()
        found |= findings.counts
        assert findings.wrong == (0 if repair else findings.counts.total())
        assert len(findings.first) == min(5, findings.counts.total())
    return found


def mended(expected: dict[str, int]) -> None:
    """Check that just these are found, mended, and not found again."""
    assert check() == expected
    assert check(repair=True) == expected
    assert check() == {}
    assert stored() == recounted()


@pytest.mark.parametrize("model", TABLES)
def test_planted_sums(model: type[models.Model]) -> None:
    """One sum that is too large, one key too many, one that is missing; of each column."""
    table = model._meta.db_table
    numbers = [field for field in model._meta.concrete_fields if isinstance(field, models.BigIntegerField)]
    for field in numbers:
        row = model._default_manager.all()[0]
        model._default_manager.filter(pk=row.pk).update(**{field.attname: models.F(field.attname) + 1})
        mended({table: 1})
    rows = list(model._default_manager.all())
    model._default_manager.filter(pk=rows[-1].pk).delete()
    found = check()
    assert found[table] == 1
    assert check(repair=True)[table] == 1
    assert check() == {}
    values = {field.attname: getattr(rows[0], field.attname) for field in model._meta.concrete_fields if field.column}
    day = next(name for name in ("day", "cohort") if name in values)
    model._default_manager.create(**values | {day: date(2031, 5, 6) if day == "day" else date(2031, 5, 1)})
    assert check()[table] == 1
    assert check(repair=True)[table] == 1
    assert check() == {}
    assert stored() == recounted()


@pytest.mark.parametrize("first_day", [None, date(2026, 1, 1)])
def test_a_customers_first_day(first_day: date | None) -> None:
    Customer.objects.filter(pk=f"{2:024x}").update(first_day=first_day)
    found = check()
    assert found.pop("customers") == 1
    assert set(found) <= {"monthly_cohorts"}
    assert check(repair=True)["customers"] == 1
    assert check() == {}
    assert stored() == recounted()


def test_a_customer_without_orders() -> None:
    Customer.objects.create(customer_user_id="f" * 24, first_day=date(2026, 2, 1))
    Customer.objects.create(customer_user_id="e" * 24, first_day=None)  # that is how one looks who has none any more
    mended({"customers": 1})


def test_a_key_without_anything() -> None:
    DailyOrders.objects.create(day=date(2026, 2, 1), status="x", orders=0, units=0, total_cents=0)
    DailyOrders.objects.create(day=date(2026, 2, 1), status="y", orders=-1, units=-1, total_cents=-1)
    mended({"daily_orders": 2})


def test_rows_that_somebody_changed_or_took_away_by_hand() -> None:
    Order.objects.filter(status="pending").update(status="cancelled")
    OrderItem.objects.all()[:1].get().delete()
    User.objects.all()[:1].get().delete()
    Post.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC), published_at=None)
    assert check(repair=True).keys() >= {"daily_orders", "daily_sales", "customer_days", "customers", "daily_buyers"}
    assert check() == {}
    assert stored() == recounted()


def test_empty_tables_are_filled_and_full_ones_emptied() -> None:
    before = stored()
    for model in (*TABLES, Customer):
        model._default_manager.all().delete()
    check(repair=True)
    assert stored() == before
    for rows in (OrderItem, Order, User, Post):
        rows.objects.all().delete()
    check(repair=True)
    assert stored() == recounted()
    assert not any(model._default_manager.exists() for model in TABLES)


def test_command(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.MONGODB_URL = ""
    assert run("verify_analytics", "--rollups") == 0
    assert "roll-ups of orders: " in capsys.readouterr().out
    DailyOrders.objects.filter(day="2026-02-05").update(orders=7)
    MonthlyCohorts.objects.filter(month="2026-03-01").delete()
    assert run("verify_analytics", "--rollups", "--only=users,posts") == 0
    assert run("verify_analytics", "--rollups") == 1
    told = capsys.readouterr().out
    assert "1 of daily_orders wrong, 2 of monthly_cohorts wrong" in told
    assert "daily_orders 2026-02-05/pending is 7/7/7000, must be 2/7/7000" in told
    assert "monthly_cohorts 2026-01-01/2026-03-01 is missing, must be 2" in told
    last = VerificationRun.objects.latest("finished_at")
    assert (last.wrong, last.mended, last.scope) == (3, 0, "roll-ups: users, suppliers, products, orders, posts")
    assert run("verify_analytics", "--rollups", "--repair") == 0
    assert "; 3 mended" in capsys.readouterr().out
    assert run("verify_analytics", "--rollups") == 0


@pytest.mark.usefixtures("mongodb")
@pytest.mark.parametrize("command", ["rebuild_analytics", "verify_analytics --repair --settle=0"])
def test_rebuild_and_repair_end_with_right_roll_ups(command: str) -> None:
    """Rows that were changed by hand had never contributed what they show, so mending them is not enough."""
    for model in (Order, User, Post):
        model.objects.all().delete()
    shop.fill()
    shop.project()
    assert run("verify_analytics", "--rollups", "--repair") == 0
    before = stored()
    assert before == recounted()
    Order.objects.update(total_cents=1, status="x")
    OrderItem.objects.update(quantity=9)
    Post.objects.all().delete()
    assert run(*command.split()) == 0
    assert stored() == recounted() == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other planners read so few rows in another way")
def test_no_portion_that_locks_consumers_out_reads_the_days_of_all_customers() -> None:
    orders = next(one for one in SOURCES if one.projection.entity == "order")
    with CaptureQueriesContext(connection) as queries:
        RollUpVerification(orders, repair=False).run()
    found = [query["sql"] for query in queries if query["sql"].startswith("SELECT") and "customer_days" in query["sql"]]
    with connection.cursor() as cursor:
        steps = [step for sql in found for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
    assert len(steps) > 50
    assert [step for step in steps if step.startswith("SCAN") and "customer" in step.split()[1]] == []


def test_suppliers_and_products_have_none() -> None:
    assert {decoder.projection.entity for decoder in DECODERS} - {one.projection.entity for one in SOURCES} == {
        "supplier",
        "product",
    }
