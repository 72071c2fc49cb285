"""The doctor on settings, on its host, and on clocks."""

import shutil
import tempfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from marketplace.doctor.host import GIB, room
from marketplace.doctor.registry import State
from tests.marketplace.doctor.examining import examine, faults, named, the


def test_all_is_well(settings: Any, tmp_path: Path) -> None:
    settings.ALLOWED_HOSTS, settings.DATA_DIR = ["shop.example.com"], tmp_path
    assert faults(examine("settings", "host")) == []


def test_what_django_finds_comes_with_our_settings(settings: Any) -> None:
    settings.SECRET_KEY, settings.ALLOWED_HOSTS, settings.DEBUG = "short", ["*"], True
    found = {one.found.rpartition("(")[2]: one for one in named(examine("settings"), "deployment checks")}
    assert found["security.W018)"].remedy == "DEBUG=false"
    assert found["security.W009)"].remedy.startswith("SECRET_KEY=$(python3 -c")
    assert found["marketplace.W002)"].remedy.startswith("Name the hosts")


def test_hosts_and_origins_are_asked_for(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.CORS_IS_DECIDED = [], False
    found = [one.found for one in faults(examine("settings"))]
    assert found == [
        "ALLOWED_HOSTS is empty: every request would be refused (marketplace.E003)",
        "CORS_ALLOWED_ORIGINS is not set (marketplace.E003)",
    ]


@pytest.mark.parametrize(("https", "number", "state"), [(True, 0, "warning"), (True, 1, "ok"), (False, 9, "warning")])
def test_proxies(settings: Any, https: bool, number: int, state: str) -> None:
    settings.HTTPS_ONLY = https
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": number}
    assert the(examine("settings"), "proxies").state == state


def test_one_key_for_everything(settings: Any) -> None:
    settings.JWT_SIGNING_KEY = settings.SECRET_KEY
    found = the(examine("settings"), "keys")
    assert (found.state, settings.SECRET_KEY in str(found)) == (State.WARNING, False)


def test_a_key_that_others_may_read(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    key = tmp_path / "secret_key"
    key.write_text("secret")
    key.chmod(0o644)
    assert the(examine("host"), "data folder").remedy == f"chmod 600 {key}"
    key.chmod(0o600)
    assert the(examine("host"), "data folder").state == State.OK
    tmp_path.chmod(0o777)
    assert the(examine("host"), "data folder").remedy == f"chmod o-w {tmp_path}"


@pytest.mark.parametrize(("engine", "state"), [("sqlite3", State.FAULT), ("mysql", State.OK)])
def test_a_folder_for_reading_only(engine: str, state: State, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the image, which keeps nothing in it. Root may write everywhere, so the kernel cannot be asked."""
    settings.DEBUG, settings.MONGODB_URL = False, "mongodb://mongodb/?replicaSet=rs0"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")
    settings.DATA_DIR = settings.BASE_DIR
    monkeypatch.setattr("os.access", lambda *_: False)
    assert the(examine("host"), "data folder").state == state


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [(0.5, 10, State.FAULT), (5, 100, State.WARNING), (5, 20, State.OK), (30, 1000, State.OK)],
)
def test_room(free: float, total: float, state: State) -> None:
    assert room(free * GIB, total * GIB, "here", "make some").state == state


def test_a_full_disk(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(100 * GIB, 100 * GIB, 0)  # noqa: PYI024  # shutil's own is private
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert the(examine("host"), "disk").state == State.FAULT


@pytest.mark.parametrize(("free", "state"), [(32 << 20, State.OK), (8 << 20, State.FAULT)])
def test_a_small_disk_for_temporary_files(
    free: int, state: State, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = Path("/proc")  # on another one than /tmp
    usage = namedtuple("usage", "total used free")(64 << 20, 0, free)  # noqa: PYI024  # shutil's own is private
    real = shutil.disk_usage(settings.BASE_DIR)
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage if place == Path(tempfile.gettempdir()) else real)
    temporary = next(one for one in named(examine("host"), "disk") if tempfile.gettempdir() in one.found)
    assert temporary.state == state


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (5, "warning"), (-5, "warning"), (60, "fault")])
def test_a_clock_that_is_wrong(mongodb: str, ahead: float, state: str) -> None:
    findings = examine("clock", ahead=ahead)
    assert the(findings, "MongoDB's clock").state == state
    if connection.vendor == "mysql":
        assert the(findings, "the SQL database's clock").state == state
