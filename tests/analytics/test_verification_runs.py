"""What verify_analytics leaves on record."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from analytics import models as tables
from analytics.models import VerificationRun
from tests.analytics import shop
from tests.analytics.shell import run

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]

Found = tuple[str, int, int, int]


def recorded() -> Found:
    """Return what the newest run has found."""
    found: Found = VerificationRun.objects.order_by("pk").values_list("scope", "checked", "wrong", "mended").last()
    return found


def test_each_run_that_came_to_its_end_is_recorded() -> None:
    shop.fill()
    shop.project()
    everything = "tables: " + ", ".join(["users", "suppliers", "products", "orders", "posts"])
    before = datetime.now(UTC)
    assert run("verify_analytics", "--settle=0") == 0
    scope, checked, wrong, mended = recorded()
    assert sorted(scope.removeprefix("tables: ").split(", ")) == sorted(everything.removeprefix("tables: ").split(", "))
    rows = sum(model.objects.count() for model in (tables.User, tables.Supplier, tables.Order, tables.Post))
    assert checked >= rows > 0
    assert (wrong, mended) == (0, 0)
    times = VerificationRun.objects.get()
    assert before <= times.started_at <= times.finished_at <= datetime.now(UTC)

    tables.Supplier.objects.first().delete()
    assert run("verify_analytics", "--settle=0") == 1
    assert recorded() == (scope, checked, 1, 0)
    assert run("verify_analytics", "--settle=0", "--repair", "--only=suppliers") == 0
    assert recorded()[0] == "tables: suppliers"
    assert recorded()[2:] == (0, 1)
    assert VerificationRun.objects.count() == 3


def test_a_call_that_compares_nothing_is_no_run(settings: Any) -> None:
    settings.MONGODB_URL = ""
    assert run("verify_analytics", "--settle=0") == 2
    assert not VerificationRun.objects.exists()


def test_who_may_only_read_can_verify_too(capsys: pytest.CaptureFixture[str]) -> None:
    shop.fill()
    shop.project()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE verification_runs RENAME TO verification_runs_away")
    try:
        assert run("verify_analytics", "--settle=0") == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE verification_runs_away RENAME TO verification_runs")
    assert "This run is not recorded" in capsys.readouterr().err
