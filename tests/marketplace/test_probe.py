"""The container's health check against a port as the processes open it."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as project
from django.core.management.base import CommandError

from marketplace.embedded.mongod import free_port
from marketplace.management.operators import open_port
from marketplace.observability.probe import main

problems: list[str] = []


@pytest.fixture(scope="module")
def port() -> int:
    number = free_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(project, "METRICS_PORT", number)
        open_port(live=lambda: problems, ready=lambda: ["it is stopping"])
    return number


@pytest.fixture(autouse=True)
def nothing_wrong() -> Iterator[None]:
    yield
    problems.clear()


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def ask(*urls: str) -> tuple[int, str]:
        code = main(list(urls))
        return code, capsys.readouterr().out

    return ask


def test_a_process_that_lives(port: int, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PORT", str(port))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a proxy must not stand between
    live = f"http://127.0.0.1:{port}/live"
    assert ask() == (0, f'{live}: 200 {{"status": "ok", "problems": []}}\n')


def test_one_of_several_that_fails(port: int, ask: Ask) -> None:
    base = f"http://127.0.0.1:{port}"
    problems.append("the loop has stood still")
    code, said = ask(f"{base}/live", f"{base}/metrics", f"http://127.0.0.1:{free_port()}/live", "no URL")
    assert code == 1
    lines = said.splitlines()
    assert "503" in lines[0]
    assert "the loop has stood still" in lines[0]
    assert lines[1].startswith(f"{base}/metrics: 200 ")
    assert all("no answer" in line for line in lines[-2:])


def test_it_starts_without_django() -> None:
    check = "import sys, marketplace.observability.probe; assert 'django' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], cwd=project.BASE_DIR, check=True)


def test_a_port_that_is_taken_is_one_line(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "METRICS_PORT", port)
    with pytest.raises(CommandError, match=f"METRICS_PORT: 127.0.0.1:{port} cannot be used: Address already in use"):
        open_port(live=list, ready=list)
