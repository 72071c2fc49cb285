"""manage.py migrate beside another one, on MySQL and MariaDB; SQLite locks by itself."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from marketplace.management.commands import migrate

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "mysql", reason="a lock of MySQL and MariaDB"),
]


@pytest.fixture
def another():
    """A connection of somebody else's to the same database."""
    other = connection.copy()
    yield other
    other.close()


def test_a_second_one_waits_and_gives_up_in_the_end(another, monkeypatch):
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 1)
    with another.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK({migrate.LOCK}, 0)")

    with pytest.raises(CommandError, match="Another migrate"):
        call_command("migrate", verbosity=0)


def test_it_leaves_no_lock_behind(another):
    call_command("migrate", verbosity=0)

    with another.cursor() as cursor:
        cursor.execute(f"SELECT IS_FREE_LOCK({migrate.LOCK})")
        assert cursor.fetchone() == (1,)
