"""Readiness of an API that was not told where everything is."""

from typing import Any

from marketplace.api import health
from tests.api import ANYONE


def test_a_broker_without_an_address_is_unavailable(api: None, db: None, settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = ""
    health._kafka_admin.cache_clear()
    states = {"mongodb": "ok", "kafka": "unavailable", "sql": "ok"}
    assert ANYONE.get("/health/ready") == {"status": "ok", "dependencies": states}
