"""manage.py doctor as a whole: what it prints, its exit codes, and what it never prints."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.utils.module_loading import autodiscover_modules

from marketplace.doctor.registry import CHECKS, GROUPS
from marketplace.management.commands.doctor import Command

KEYS = {"group", "name", "state", "found", "remedy"}


def run(**options: Any) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True, **options)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_lines_for_people(mongodb: str) -> None:
    code, out = run(only=["mongodb"])
    assert code == 0
    assert out.startswith("mongodb\n  ok       server: MongoDB ")
    assert (
        "  warning  relay: no relay is at work: events wait in the outbox\n           -> manage.py relay_events\n"
        in out
    )
    assert out.splitlines()[-1].startswith("12 looked at: ")


def test_strict_counts_warnings(mongodb: str) -> None:
    assert run(only=["mongodb"], strict=True)[0] == 1


def test_faults_are_the_exit_code(settings: Any) -> None:
    settings.ALLOWED_HOSTS = []
    code, out = run(only=["settings"], json=True)
    answer = json.loads(out)
    assert (code, answer["state"]) == (1, "fault")
    assert answer["counts"]["fault"] == 1


@pytest.mark.parametrize("arguments", [["--only", "nonsense"], ["--timeout", "0"], ["--timeout", "long"], ["more"]])
def test_a_wrong_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = Command().create_parser("manage.py", "doctor")
    parser.called_from_command_line = True  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as end:
        parser.parse_args(arguments)
    assert end.value.code == 2
    assert "usage: manage.py doctor" in capsys.readouterr().err


def test_a_whole_process_with_everything_away(tmp_path: Path) -> None:
    """Each server costs its time once, every group is there, and no password is."""
    pytest.importorskip("MySQLdb")
    environment = os.environ | {
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "secret-" * 8,
        "MONGODB_URL": "mongodb://shop:mongodb-password@127.0.0.1:9/?replicaSet=rs0",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "DATABASE_URL": "mysql://shop:mysql-password@127.0.0.1:9/shop",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "manage.py", "doctor", "--json", "--timeout", "0.5"]
    done = subprocess.run(command, env=environment, cwd=configured.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"version", "at", "state", "counts", "findings"}
    assert sum(answer["counts"].values()) == len(answer["findings"])
    assert all(set(finding) == KEYS for finding in answer["findings"])
    assert {finding["group"] for finding in answer["findings"]} == set(GROUPS)
    away = [one["group"] for one in answer["findings"] if one["found"].startswith("does not answer")]
    assert away == ["mongodb", "kafka", "sql"]
    for secret in ("mongodb-password", "mysql-password", "secret-"):
        assert secret not in done.stdout + done.stderr


def test_every_check_is_in_the_guide() -> None:
    autodiscover_modules("doctor")
    guide = (configured.BASE_DIR / "docs" / "doctor.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", guide, re.MULTILINE))
    signs = {"consumer lag", "event to row", "dead letters", "verification"}
    told = [(check.group, name) for check in CHECKS for name in (signs if check.name == "signs" else [check.name])]
    assert [one for one in told if one[1] not in rows[one[0]]] == []
