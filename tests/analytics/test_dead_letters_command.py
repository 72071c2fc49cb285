"""`manage.py dead_letters`: tables for people, JSON and bytes for programs, and exit codes."""

import json
import os
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.management.commands.dead_letters import Command
from analytics.models import DeadLetter, DeadLetterAction, User
from tests.analytics.events import event, new_id, raw
from tests.analytics.letters import bad_letter, good_letter, letter

pytestmark = pytest.mark.django_db

SECONDS = 60


def run(capsys, *arguments, code=0) -> str:
    """Run the command, compare its exit code, and return what it wrote."""
    found, said = 0, ""
    try:
        call_command("dead_letters", *map(str, arguments))
    except CommandError as error:
        found, said = error.returncode, str(error)
    output = capsys.readouterr().out + said
    assert found == code, output
    return output


def listed(capsys, *arguments) -> list[int]:
    return [one["id"] for one in json.loads(run(capsys, "list", "--json", *arguments))]


def test_the_list_shows_open_letters_without_control_characters(capsys):
    bad = bad_letter(error="\x1b[31mred\nline")
    bad.key = None
    settled = letter(b"{}", state=DeadLetter.DISCARDED)
    output = run(capsys, "list")
    assert "\\x1b[31mred\\nline" in output
    assert "\x1b" not in output
    assert output.splitlines()[-1] == "1 letters"
    assert listed(capsys) == [bad.pk]
    assert listed(capsys, "--state", "all") == [settled.pk, bad.pk]


def test_the_list_is_filtered(capsys):
    product = letter(b"{}", topic="product", error="Input data was truncated")
    old = letter(b"{}")
    DeadLetter.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=9))
    assert listed(capsys, "--topic", "product") == [product.pk]
    assert listed(capsys, "--error", "TRUNCATED") == [product.pk]
    assert listed(capsys, "--since", (product.created_at - timedelta(days=1)).isoformat()) == [product.pk]
    assert listed(capsys, "--since", "2001-01-01") == [old.pk, product.pk]
    assert listed(capsys, "--topic", "order") == []


def test_the_list_comes_in_pages(capsys):
    ids = [letter(b"{}").pk for _ in range(5)][::-1]
    output = run(capsys, "list", "--limit", 2)
    assert output.splitlines()[-1] == f"2 letters; more: --before {ids[1]}"
    assert listed(capsys, "--limit", 2, "--before", ids[1]) == ids[2:4]
    assert "more" not in run(capsys, "list", "--limit", 5)


def test_show_tells_everything(capsys):
    found = letter(b'{"a": "\\u001b\xe2\x80\xae", "b": [1]}')
    run(capsys, "retry", found.pk, "--by", "ann", code=1)
    output = run(capsys, "show", found.pk)
    for text in ("state:      open", "topic:      user", "key:        k", "it was so", "retry by ann: failed (Object"):
        assert text in output
    assert '{\n  "a": "\\u001b\\u202e",\n  "b": [\n    1\n  ]\n}' in output
    assert output.replace("\n", "").isprintable()
    assert "\\xff{\\x1b[31m\\n" in run(capsys, "show", bad_letter().pk)
    assert "value (none):\n-" in run(capsys, "show", letter(None).pk)
    run(capsys, "show", 10**9, code=1)


@pytest.mark.parametrize("value", [b"\xff\x00\r\n", b"[" * 100_000, b'"\\ud800"', b"9" * 5000, b"NaN", b""])
def test_any_value_can_be_shown(value, capsys):
    found = letter(value)
    run(capsys, "show", found.pk).encode()


def test_raw_bytes_come_as_they_are(capfdbinary):
    found = letter(b"\xff\x00\r\n")
    call_command("dead_letters", "show", str(found.pk), "--raw")
    assert capfdbinary.readouterr().out == b"\xff\x00\r\n"


def test_retry_by_id_tells_what_came_of_each(capsys):
    good, bad = good_letter(), bad_letter()
    output = run(capsys, "retry", good.pk, bad.pk, code=1)
    assert output.startswith(f"{good.pk} applied\n{bad.pk} failed: JSON is malformed")
    assert "1 applied, 1 failed\n" in output
    assert User.objects.count() == 1
    assert {one.actor for one in DeadLetterAction.objects.all()} == {pwd.getpwuid(os.getuid()).pw_name}


def test_retry_all_keeps_to_the_filters(capsys):
    users, products = [good_letter() for _ in range(2)], [good_letter(event("product.created", new_id()))]
    assert "1 applied" in run(capsys, "retry", "--all", "--topic", "product")
    assert listed(capsys) == [one.pk for one in reversed(users)]
    assert "2 applied" in run(capsys, "retry", "--all")
    assert "nothing to do" in run(capsys, "retry", "--all")
    assert listed(capsys, "--state", "retried", "--topic", "product") == [products[0].pk]


def test_discard(capsys):
    found = bad_letter()
    assert "discarded: spam" in run(capsys, "discard", found.pk, "--reason", "spam", "--by", "ann")
    assert listed(capsys, "--state", "discarded") == [found.pk]
    run(capsys, "retry", found.pk, code=1)


def test_discard_all_keeps_to_the_filters(capsys):
    cut, other = bad_letter(error="Input data was truncated"), bad_letter()
    settled = letter(b"{}", state=DeadLetter.RETRIED)
    assert "1 discarded\n" in run(capsys, "discard", "--all", "--error", "truncated", "--reason", "spam")
    assert listed(capsys) == [other.pk]
    assert "1 discarded\n" in run(capsys, "discard", "--all", "--reason", "spam")
    assert "nothing to do" in run(capsys, "discard", "--all", "--reason", "spam")
    assert listed(capsys, "--state", "discarded") == [other.pk, cut.pk]
    assert listed(capsys, "--state", "retried") == [settled.pk]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["retry", "0"],
        ["retry", "x"],
        ["retry", "99999999999999999999"],
        ["list", "--since", "yesterday"],
        ["list", "--limit", "1001"],
        ["list", "--state", "closed"],
        ["discard", "1"],
        ["discard", "--all"],
        ["discard", "1", "--reason", " "],
        ["discard", "1", "--reason", "\x1b[31m"],
        ["discard", "1", "--reason", "spam", "--by", "x" * 151],
        ["retry", "1", "--by", "x" * 151],
    ],
)
def test_a_wrong_call(arguments, capsys):
    command = Command()
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as stopped:
        command.create_parser("manage.py", "dead_letters").parse_args(arguments)
    assert stopped.value.code == 2
    assert "usage: manage.py dead_letters" in capsys.readouterr().err


@pytest.mark.parametrize("action", [["retry"], ["discard", "--reason", "spam"]], ids=["retry", "discard"])
@pytest.mark.parametrize("chosen", [[], ["1", "--all"], ["1", "--topic", "user"], ["--topic", "user"]])
def test_a_choice_of_nothing_or_of_too_much(action, chosen, capsys):
    found = good_letter()
    run(capsys, action[0], *chosen, *action[1:], code=2)
    assert listed(capsys) == [found.pk]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="makes SQLite read-only")
def test_a_database_that_takes_no_writes_is_told(capsys):
    found = good_letter()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            assert "the database failed: attempt to write" in run(capsys, "retry", found.pk, code=1)
        finally:
            cursor.execute("PRAGMA query_only = OFF")
    assert listed(capsys) == [found.pk]


def start(folder, *arguments) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'analytics.sqlite3'}",
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def empty_tables(tmp_path_factory):
    """A database file with the tables."""
    folder = tmp_path_factory.mktemp("tables")
    with start(folder, "migrate", "--skip-checks", "-v0") as migrated:
        assert migrated.wait(SECONDS) == 0
    return folder / "analytics.sqlite3"


def fill(tables, folder, number, value=None) -> None:
    """Make a database file with letters of users, or of a value that no retry mends."""
    shutil.copy(tables, folder)
    sent = [event("user.created", new_id()) for _ in range(number)]
    with closing(sqlite3.connect(folder / "analytics.sqlite3")) as database, database:
        database.executemany(
            "INSERT INTO dead_letters (cluster_id, topic, partition, offset, key, value, error, created_at)"
            " VALUES ('c', 'user', 0, ?, ?, ?, 'unknown', '2026-01-01 00:00:00')",
            [(place, one["entity_id"].encode(), value or raw(one)) for place, one in enumerate(sent)],
        )


@pytest.mark.parametrize("action", [["retry"], ["discard", "--reason", "spam"]], ids=["retry", "discard"])
def test_an_interrupt_leaves_what_is_listed(action, empty_tables, tmp_path):
    fill(empty_tables, tmp_path, 3000, b"poison")
    with start(tmp_path, "dead_letters", *action, "--all") as running:
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        output, errors = running.stdout.read(), running.stderr.read()  # communicate() forgets what readline() had read
        assert running.wait(SECONDS) == 130, errors
    assert errors.startswith("Stopped. The letter it was at may be done")
    listed = [line for line in (first + output).splitlines() if re.search(r"^\d+ (failed|discarded): ", line)]
    with closing(sqlite3.connect(tmp_path / "analytics.sqlite3")) as database:
        (done,) = database.execute("SELECT COUNT(*) FROM dead_letter_actions").fetchone()
    assert len(listed) <= done <= len(listed) + 1 < 3000


def test_nobody_reads_on(empty_tables, tmp_path):
    fill(empty_tables, tmp_path, 1000)
    with start(tmp_path, "dead_letters", "list", "--limit", "1000") as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(SECONDS) == 1
        assert running.stderr.read() == ""


def test_two_people_at_once(empty_tables, tmp_path):
    """Each letter is settled once, whoever gets there first."""
    fill(empty_tables, tmp_path, 60)
    people = [start(tmp_path, "dead_letters", "retry", "--all", "--by", name) for name in ("ann", "bob")]
    outputs = [person.communicate(timeout=SECONDS) for person in people]
    assert [person.returncode for person in people] == [0, 0], outputs
    with closing(sqlite3.connect(tmp_path / "analytics.sqlite3")) as database:
        assert database.execute("SELECT state, COUNT(*) FROM dead_letters GROUP BY 1").fetchall() == [("retried", 60)]
        audit = database.execute("SELECT COUNT(*), COUNT(DISTINCT letter_id) FROM dead_letter_actions").fetchone()
        assert audit == (60, 60)
        assert database.execute("SELECT COUNT(*) FROM users").fetchone() == (60,)
