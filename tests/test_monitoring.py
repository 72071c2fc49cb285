"""Alerts, dashboard and the table of metrics against the code: no name in them that no process has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from prometheus_client import REGISTRY, generate_latest

import analytics.metrics  # noqa: F401  # it registers its own
import marketplace.api.metrics  # noqa: F401
from marketplace.events.metrics import RelayCollector
from marketplace.observability import metrics

DEPLOY = Path(settings.BASE_DIR, "deploy")
DOCS = Path(settings.BASE_DIR, "docs")
ALERTS = (DEPLOY / "prometheus" / "alerts.yaml").read_text()
PANELS = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel.get("targets", ())]
TABLE = re.findall(r"^\| `(marketplace_\w+)` \| (\w+) \| (.*?) \|", (DOCS / "monitoring.md").read_text(), re.MULTILINE)
SAMPLES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}

promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus has promtool")


class ActiveRelay:
    is_active = True
    rejected: tuple[str, ...] = ()


@pytest.fixture
def kinds(mongodb: str) -> dict[str, str]:
    """The kind of each metric that any process has."""
    exposed = generate_latest(metrics.registry(REGISTRY, RelayCollector(ActiveRelay()))).decode()
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", exposed, re.MULTILINE))


@pytest.mark.parametrize("texts", [[ALERTS], QUERIES], ids=["alerts", "dashboard"])
def test_what_is_asked_for_exists(kinds: dict[str, str], texts: list[str]) -> None:
    asked = set(re.findall(r"\b(?:marketplace|process)_[a-z_]+\b", "\n".join(texts)))
    assert len(asked) > 10
    assert asked <= {name + suffix for name, kind in kinds.items() for suffix in SAMPLES[kind]}


def test_the_table_lists_all_metrics_with_their_kinds(kinds: dict[str, str]) -> None:
    ours = {name: kind for name, kind in kinds.items() if name.startswith("marketplace_")}
    assert {name: kind for name, kind, _ in TABLE} == ours


def test_the_table_lists_the_labels() -> None:
    labels = {name: tuple(re.findall(r"`(\w+)`", cell)) for name, _, cell in TABLE}
    defined = {name: metric._labelnames for name, metric in REGISTRY._names_to_collectors.items() if name in labels}
    assert len(defined) > 10
    assert {name: labels[name] for name in defined} == defined


def test_each_alert_says_what_to_do() -> None:
    headings = re.findall(r"^### Alert (\w+)$", (DOCS / "operations.md").read_text(), re.MULTILINE)
    alerts = re.findall(r"- alert: (\w+)", ALERTS)
    assert headings == alerts
    anchors = re.findall(r"runbook_url: docs/operations.md#(\S+)", ALERTS)
    assert anchors == [f"alert-{name.lower()}" for name in alerts]
    for needed in (r"severity: (?:critical|warning)", r"summary: \S", r"description: \S"):
        assert len(re.findall(needed, ALERTS)) == len(alerts)


@promtool
def test_each_alert_fires_when_it_should() -> None:
    folder = DEPLOY / "prometheus"
    run("test", "rules", folder / "alerts_test.yaml")
    run("check", "config", folder / "prometheus.yaml")


@promtool
def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    queries = [query.replace("$__rate_interval", "5m") for query in QUERIES]
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "rules.json"  # which is YAML, too
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run("check", "rules", file)


def run(*arguments: object) -> None:
    found = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr
