"""rebuild_analytics and verify_analytics from the shell's side: exit codes, slips in the settings, closed pipes."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from analytics import models as tables
from analytics.models import Post
from marketplace import mongo
from tests.analytics import shop
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id
from tests.analytics.shell import run
from users.documents import User

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]


def test_exit_codes(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    shop.fill()
    shop.project()
    assert run("verify_analytics", "--settle=0") == 0
    tables.Supplier.objects.first().delete()
    assert run("verify_analytics", "--settle=0", "--only=users,orders") == 0
    assert run("verify_analytics", "--settle=0") == 1
    assert "1 differences" in capsys.readouterr().err
    assert run("verify_analytics", "--settle=0", "--repair") == 0
    assert "1 missing (" in (told := capsys.readouterr().out)
    assert "; 1 of them mended" in told
    assert run("verify_analytics", "--settle=0") == 0

    query = {"_id": mongo.object_id(tables.User.objects.first().pk)}
    User.collection().update_one(query, {"$set": {"profile.display_name": "x" * 101}})
    assert run("rebuild_analytics") == 1
    assert "cannot hold" in capsys.readouterr().err
    assert run("verify_analytics", "--settle=0", "--repair") == 1
    for wrong in ("--batch-size=0", "--batch-size=x", "--only=nobody"):
        assert run("rebuild_analytics", wrong) == 2
    assert run("verify_analytics", "--settle=-1") == 2
    settings.MONGODB_URL = ""
    assert run("verify_analytics") == run("rebuild_analytics") == 2


@pytest.fixture
def wrong_database(settings: Any) -> Iterator[str]:
    """Be connected to a database that nobody has ever written to, for as long as it takes."""
    right, settings.DATABASE_NAME = settings.DATABASE_NAME, f"{settings.DATABASE_NAME}_typo"
    mongo.connect()
    yield settings.DATABASE_NAME
    settings.DATABASE_NAME = right
    mongo.connect()


@pytest.mark.parametrize("command", [("rebuild_analytics",), ("verify_analytics", "--settle=0", "--repair")])
def test_another_database_is_not_taken_for_ours(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], wrong_database: str
) -> None:
    apply(*(event(f"{entity}.created", new_id()) for entity in ("user", "supplier", "product", "order", "post")))
    before = shop.tables()
    assert run(*command) == 2
    assert f"{wrong_database} has no documents for orders, posts, products, suppl" in capsys.readouterr().err
    assert shop.tables() == before
    assert run("verify_analytics", "--settle=0") == 1  # it changes nothing, so it may look
    assert run(*command, "--allow-empty", "--only=suppliers") == 0
    assert not tables.Supplier.objects.exists()


@pytest.mark.parametrize(("buffering", "rows"), [(1, 0), (-1, 30)])
def test_nobody_reads_what_it_writes(
    buffering: int, rows: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in `rebuild_analytics | head -0`: quiet, and only lines that are held back let it come to its end."""
    shop.fill()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering) as nobody, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", nobody)
        assert run("rebuild_analytics") == 1
    assert Post.objects.count() == rows
    assert "Broken" not in capsys.readouterr().err
