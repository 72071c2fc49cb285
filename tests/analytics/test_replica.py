"""DATABASE_REPLICA_URL: what is only looked at is read there; what is written, and what has just been, is not.

The replica here is a second connection to the test database; tests/system/test_sql_replica.py has a real one.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User as Account
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics.models import DeadLetter, Order, PartitionReport, Product, User
from analytics.replica import REPLICA, ReplicaRouter, read_from_replica
from analytics.reports.catalogue import REPORTS
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id
from tests.analytics.letters import good_letter

pytestmark = pytest.mark.django_db(transaction=True)

VIEWS = ("changelist", "export")

ON_PRIMARY = {model._meta.db_table for model in apps.get_app_config("analytics").get_models()} & {
    *("consumer_offsets", "dead_letters", "dead_letter_actions", "exports", "rebuild_positions", "tombstones")
}


class Asked:
    """The tables that a block has read or written on each of the two."""

    def __init__(self) -> None:
        self._captured = {name: CaptureQueriesContext(connections[name]) for name in ("default", REPLICA)}

    def __enter__(self) -> "Asked":
        for one in self._captured.values():
            one.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        for one in self._captured.values():
            one.__exit__(*problem)

    def tables(self, name: str) -> set[str]:
        """Return the analytics tables that statements to one of the two have named."""
        words = {
            word
            for query in self._captured[name].captured_queries
            for word in re.findall(r'["`](\w+)["`]', query["sql"])
        }
        return words & {model._meta.db_table for model in apps.get_app_config("analytics").get_models()}


@pytest.fixture(autouse=True)
def replica(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.DATABASE_ROUTERS = ["analytics.replica.ReplicaRouter"]
    monkeypatch.setitem(connections.settings, REPLICA, connections["default"].settings_dict)
    connections[REPLICA] = connections["default"].copy()  # under the name that tests may connect to
    yield
    connections[REPLICA].close()
    del connections[REPLICA]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(Account.objects.create_superuser("staff", password=None))
    return client


def pages() -> list[str]:
    """Return the addresses of what is looked at."""
    user = new_id()
    apply(event("user.created", user), event("order.created", new_id()), event("product.created", new_id()))
    reports = [f"/reports/{name}?supplier_id={new_id()}" for name in REPORTS]
    lists = [
        reverse(f"admin:analytics_{name}_{view}") for name in ("order", "user") for view in ("changelist", "export")
    ]
    own = [reverse("admin:index"), reverse("admin:analytics_user_change", args=[user])]
    return [*reports, "/reports/daily-revenue?format=csv", *lists, *own, reverse("admin:report_csv", args=["cohorts"])]


def test_what_is_looked_at_is_read_from_the_replica(mongodb: str, staff: Client) -> None:
    for page in pages():
        with Asked() as asked:
            response = staff.get(page)
            assert response.status_code == 200, page
            response.getvalue()
        assert asked.tables("default") <= ON_PRIMARY, page
        assert asked.tables(REPLICA), page
        assert not asked.tables(REPLICA) & ON_PRIMARY, page


def test_what_changes_something_asks_the_primary_alone(staff: Client) -> None:
    letter = good_letter()
    chosen = {"action": "retry", "_selected_action": [letter.pk]}
    staff.get(reverse("admin:index"))
    with Asked() as asked:
        staff.post(reverse("admin:analytics_deadletter_changelist"), chosen)
        apply(event("order.created", new_id()))
    assert asked.tables(REPLICA) == set()
    assert DeadLetter.objects.get().state == DeadLetter.RETRIED


def test_a_thread_that_has_answered_a_report_reads_the_primary_again(staff: Client) -> None:
    read_from_replica()
    assert (User.objects.all().db, Product.objects.all().db) == (REPLICA, REPLICA)
    assert Account.objects.all().db == DeadLetter.objects.all().db == "default"
    staff.get("/health")
    assert Order.objects.all().db == "default"


def test_old_word_of_consumers_may_be_the_replica_s_fault(mongodb: str, staff: Client) -> None:
    PartitionReport.objects.create(
        group_id="g", topic="order", partition=0, next_offset=1, end_offset=1, at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    lag = next(row for row in staff.get("/reports/pipeline").json() if row["measure"] == "lag")
    assert lag["note"] == "no consumer reports this any more, or the replica is behind"


def test_nothing_is_ever_sent_to_the_replica_to_be_written() -> None:
    assert (ReplicaRouter().allow_migrate(REPLICA), ReplicaRouter().allow_migrate("default")) == (False, None)
    read_from_replica()
    assert User.objects.select_for_update().db == "default"
    apply(event("user.created", new_id()))
    user = User.objects.get()
    assert user._state.db == REPLICA
    with Asked() as asked:
        user.save(force_update=True)
        user.delete()
    assert (asked.tables("default"), asked.tables(REPLICA)) == ({"users"}, set())


def test_without_a_replica_all_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(connections.settings, REPLICA)
    read_from_replica()
    assert User.objects.all().db == "default"
