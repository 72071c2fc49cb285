"""docs/security.md: every place in code and tests that it names exists, and what it says of imports is true."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest
from django.conf import settings

PAGE = (settings.BASE_DIR / "docs" / "security.md").read_text()
PLACES = sorted(set(re.findall(r"`([\w./]+\.py)::(\w+)`", PAGE)))
# What opens URLs. Only quickstart does, to see whether its own API is up; it serves no requests.
CLIENTS = {"urllib.request", "http.client", "requests", "httpx", "aiohttp", "urllib3"}


@functools.cache
def names(path: str) -> frozenset[str]:
    """Return the functions, classes and constants that a file defines."""
    found = set()
    for node in ast.walk(ast.parse((settings.BASE_DIR / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
            if isinstance(target, ast.Name):
                found.add(target.id)
    return frozenset(found)


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_every_place_exists(path: str, name: str) -> None:
    assert name in names(path)


def test_every_risk_names_code_and_tests() -> None:
    rows = re.findall(r"^\| \[(API\d+)\]\((\S+)\).*?\|(.*)\|(.*)\|(.*)\|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == [f"API{number}" for number in range(1, 11)]
    for _, link, _, code, tests in rows:
        assert link.startswith("https://owasp.org/API-Security/editions/2023/")
        assert "::" in code
        assert "tests/" not in code
        assert "`tests/" in tests


def imported(path: str) -> Iterator[str]:
    """Yield the modules that a file imports."""
    for node in ast.walk(ast.parse((settings.BASE_DIR / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


# They ask the API's own processes how they do, at addresses of the settings or the command line.
PROBES = {"marketplace/serving.py", "marketplace/observability/probe.py"}


def test_nothing_that_serves_requests_can_open_urls() -> None:
    packages = ("marketplace", "users", "catalog", "orders", "content", "analytics")
    root = settings.BASE_DIR
    files = [path.relative_to(root) for package in packages for path in (root / package).rglob("*.py")]
    serving = [str(path) for path in files if "embedded" not in path.parts]
    assert len(serving) > 50
    assert {path for path in serving if CLIENTS & set(imported(path))} == PROBES
