"""seed, generate_products, generate_posts, generate_orders: what they leave behind, and that they can be repeated."""

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password, is_password_usable
from django.core.management import CommandError, call_command

from catalog.documents import CATEGORIES
from catalog.services import supplier_delete
from content.documents import POST_TYPES
from demo import orders
from demo.generation import Demand
from marketplace import mongo
from marketplace.callers import SYSTEM
from tests.demo.shop import UNTIL, empty, run, stored
from users.services import user_create

COLLECTIONS = ("users", "suppliers", "products", "posts", "orders")
# Random by nature, and what follows from a supplier's random id.
RANDOM = {"password_hash", "order_number", "supplier_id"}


def run_all(*arguments: str) -> None:
    run("seed", "--count=3", *arguments)
    run("generate_products", "--count=22", *arguments)
    run("generate_posts", "--count=25", *arguments)
    run("generate_orders", "--count=25", *arguments)


def everything() -> dict[str, Any]:
    """All demo data without what is random, as it would be compared by a reader."""
    contents = {name: [_comparable(document) for document in stored(name)] for name in COLLECTIONS}
    for supplier in contents["suppliers"]:
        del supplier["_id"]
    return {name: sorted(documents, key=repr) for name, documents in contents.items()}


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _comparable(inner) for key, inner in value.items() if key not in RANDOM}
    return [_comparable(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.usefixtures("mongodb")
class TestAllCommands:
    def test_the_same_seed_gives_the_same_data(self) -> None:
        run_all()
        first = everything()
        empty()
        run_all()
        assert everything() == first
        assert {name: len(documents) for name, documents in first.items() if name != "users"} == {
            "suppliers": 3,
            "products": 22,
            "posts": 25,
            "orders": 25,
        }

    def test_another_seed_adds_other_data(self) -> None:
        run_all()
        names = {product["name"] for product in stored("products")}
        run_all("--seed=2")
        assert len(stored("products")) == 44
        assert len(stored("orders")) == 50
        assert {product["name"] for product in stored("products")} > names

    def test_a_second_run_changes_nothing(self) -> None:
        run_all()
        documents, events = everything(), len(stored("outbox"))
        assert "Created 0 accounts, skipped 4" in run("seed", "--count=3")
        assert "Created 0 products, skipped 22" in run("generate_products", "--count=22")
        assert "Created 0 posts, skipped 25" in run("generate_posts", "--count=25")
        assert "Created 0 orders, skipped 25" in run("generate_orders", "--count=25")
        assert everything() == documents
        assert len(stored("outbox")) == events

    def test_every_write_has_its_event(self) -> None:
        run_all()
        versions = Counter(event["key"] for event in stored("outbox"))
        written = {str(document["_id"]): document["version"] for name in COLLECTIONS for document in stored(name)}
        assert versions == written

    def test_nothing_lies_in_the_future(self) -> None:
        run_all()
        assert max(event["timestamp"] for event in stored("outbox")) <= UNTIL + timedelta(seconds=1)

    def test_silent_on_demand(self, capfd: pytest.CaptureFixture[str]) -> None:
        for command in ("seed", "generate_products", "generate_posts", "generate_orders"):
            call_command(command, count=3, verbosity=0)
        assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("mongodb")
class TestSeed:
    def test_who_can_log_in(self) -> None:
        run("seed")
        hashes = {
            account["contact_info"]["primary_email"]: account["password_hash"]
            for account in stored("users") + stored("suppliers")
        }
        assert len(hashes) == 31
        for email in ("john@example.com", "supplier@demo.example"):
            assert check_password("password123", hashes.pop(email))
        assert not any(map(is_password_usable, hashes.values()))

    def test_a_removed_supplier_comes_back_under_a_new_id(self) -> None:
        run("seed", "--count=2")
        before = {supplier["_id"] for supplier in stored("suppliers")}
        removed = min(before)
        supplier_delete(caller=SYSTEM, identifier=str(removed))
        assert "Created 1 accounts, skipped 2" in run("seed", "--count=2")
        after = {supplier["_id"] for supplier in stored("suppliers")}
        assert removed not in after
        assert len(after & before) == 1

    def test_an_account_of_that_email_stays(self) -> None:
        changes = {"contact_info.primary_email": "john@example.com", "profile.display_name": "Somebody else"}
        user_create(changes=changes, password=None)
        assert "Created 0 accounts, skipped 1" in run("seed", "--count=0")
        run("generate_posts", "--count=25")
        names = {post["author"]["display_name"] for post in stored("posts")}
        assert "Somebody else" in names
        assert "John Doe" not in names


@pytest.mark.usefixtures("mongodb")
class TestGenerateProducts:
    def test_needs_suppliers(self) -> None:
        with pytest.raises(CommandError, match="Run `manage.py seed` first"):
            run("generate_products")

    def test_categories_and_statuses(self) -> None:
        run("seed")
        run("generate_products")
        products = stored("products")
        assert Counter(product["status"] for product in products) == {
            "active": 30,
            "draft": 10,
            "out_of_stock": 5,
            "discontinued": 5,
        }
        assert {product["category"] for product in products} == set(CATEGORIES)
        assert all((product.get("published_at") is None) == (product["status"] == "draft") for product in products)
        assert {bool(product.get("variants")) for product in products} == {True, False}
        assert {bool(product.get("stock_locations")) for product in products} == {True, False}

    def test_only_for_demo_suppliers(self) -> None:
        run("seed", "--count=3")
        mongo.database()["suppliers"].update_many(
            {"contact_info.primary_email": {"$ne": "supplier@demo.example"}},
            [{"$set": {"contact_info.primary_email": {"$concat": ["somebody", {"$toString": "$_id"}, "@shop.org"]}}}],
        )
        run("generate_products", "--count=10")
        owner = mongo.database()["suppliers"].find_one({"contact_info.primary_email": "supplier@demo.example"})
        assert owner is not None
        assert {product["supplier_id"] for product in stored("products")} == {owner["_id"]}


@pytest.mark.usefixtures("mongodb")
class TestGeneratePosts:
    def test_types_times_and_engagement(self) -> None:
        run("generate_posts")
        posts = stored("posts")
        assert {post["post_type"] for post in posts} == set(POST_TYPES)
        assert sum(post.get("published_at") is None for post in posts) == 8
        assert sum(post.get("deleted_at") is not None for post in posts) == 4
        assert all(UNTIL - timedelta(days=90) <= post["created_at"] < UNTIL for post in posts)
        for stats in (post["stats"] for post in posts if post["stats"]["view_count"]):
            interactions = sum(stats[name] for name in ("like_count", "comment_count", "share_count", "save_count"))
            assert stats["engagement_rate"] == pytest.approx(interactions / stats["view_count"], abs=0.0001)
            assert ("last_comment_at" in stats) == (stats["comment_count"] > 0)

    def test_most_reach_few_and_few_reach_most(self) -> None:
        run("generate_posts")
        views = sorted((post["stats"]["view_count"] for post in stored("posts")), reverse=True)
        assert sum(views[:10]) > sum(views[10:])

    def test_nobody_writes_before_signing_up(self) -> None:
        run("generate_posts")
        joined = {user["_id"]: user["created_at"] for user in stored("users")}
        assert all(joined[post["author"]["user_id"]] <= post["created_at"] for post in stored("posts"))


@pytest.mark.usefixtures("mongodb")
class TestGenerateOrders:
    def test_needs_products(self) -> None:
        with pytest.raises(CommandError, match="no active products"):
            run("generate_orders")

    def test_rhythm_growth_and_cancellations(self) -> None:
        run("seed")
        run("generate_products")
        run("generate_orders", "--count=200")
        orders = stored("orders")
        days = [(order["created_at"] - UNTIL).days for order in orders]
        assert min(days) >= -90
        assert max(days) < 0
        assert sum(day >= -45 for day in days) > sum(day < -45 for day in days)
        weekend = sum(order["created_at"].weekday() >= 5 for order in orders)
        assert weekend / 2 > (len(orders) - weekend) / 5
        cancelled = [order for order in orders if order["status"] == "cancelled"]
        assert 4 <= len(cancelled) <= 30
        for order in cancelled:
            waited = order["cancellation"]["cancelled_at"] - order["created_at"]
            assert timedelta() < waited < timedelta(hours=30)
        assert any(order["cancellation"].get("reason") for order in cancelled)
        assert {len(order["items"]) for order in orders} == {1, 2, 3, 4}

    def test_sold_pieces_are_counted_and_restocked(self) -> None:
        """With one product and no stock left to speak of, the supplier has to restock."""
        run("seed", "--count=1")
        run("generate_products", "--count=22")
        keep = mongo.database()["products"].find_one({"status": "active", "variants": {"$exists": True}})
        assert keep is not None
        mongo.database()["products"].delete_many({"_id": {"$ne": keep["_id"]}})
        run("generate_orders", "--count=150")
        product = mongo.database()["products"].find_one({})
        assert product is not None
        lines = [item for order in stored("orders") if order["status"] != "cancelled" for item in order["items"]]
        assert product["stats"]["purchase_count"] == sum(line["quantity"] for line in lines)
        assert product["status"] == "active"
        assert all(variant["quantity"] >= 0 for variant in product["variants"].values())
        events = Counter(event["event_type"] for event in stored("outbox") if event["key"] == str(product["_id"]))
        assert events["product.out_of_stock"] == events["product.restored"] > 1

    def test_a_stopped_run_goes_on_where_it_was(self) -> None:
        run_all()
        whole = everything()["orders"]
        empty()
        run("seed", "--count=3")
        run("generate_products", "--count=22")
        run("generate_posts", "--count=25")
        for order in itertools.islice(orders.items(Demand(25, 1, UNTIL), orders.on_sale()), 10):
            order.make()
        assert "Created 15 orders, skipped 10" in run("generate_orders", "--count=25")
        assert [order["items"] for order in everything()["orders"]] == [order["items"] for order in whole]


def test_without_mongodb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MONGODB_URL", "")
    with pytest.raises(CommandError, match="MONGODB_URL is not set"):
        run("seed")


@pytest.mark.parametrize("argument", ["--count=-1", "--count=many", "--until=tomorrow"])
def test_bad_arguments(argument: str) -> None:
    with pytest.raises(CommandError, match=r"no whole number|no date"):
        call_command("seed", argument)


def test_ctrl_c_leaves_whole_orders(mongodb: str, tmp_path: Path) -> None:
    run_all()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MONGODB_URL": mongodb,
        "DATABASE_NAME": settings.DATABASE_NAME,
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "generate_orders", "--count=5000"]
    with mongo.database()["orders"].watch(max_await_time_ms=30_000) as stream:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(5):
            stream.next()
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == "Stopped. Run this again to go on."
    created = mongo.database()["outbox"].count_documents({"event_type": "order.created"})
    assert created == len(stored("orders"))
