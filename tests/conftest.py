"""Servers and clean data for the tests: embedded ones, or those that MONGODB_URL and KAFKA_BOOTSTRAP_SERVERS name.

A test asks for `mongodb` (implied by `client` fixtures of the apps) or `kafka`; a test that asks for neither starts
neither.
"""

import signal
import uuid
from collections.abc import Iterator

import mongoengine
import pytest
from django.conf import settings
from django.core.management import call_command
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from marketplace import mongo
from marketplace.api import outage
from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.embedded.mongod import EmbeddedMongo
from marketplace.events.outbox import domain_event
from tests.events import check_sent

# A background job inherits SIGINT as ignored, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.api"]  # the fixtures of the API tests

# Whose tests read whole topics of the broker that all share, and write there.
_READERS = ("consumer", "consume_events", "fidelity", "rebalances", "zombies", "backlog", "observer")
READERS = {f"tests/analytics/test_{name}.py" for name in _READERS} | {
    *("tests/system/test_two_relays.py", "tests/marketplace/test_delivery.py")  # these write to it
}
# They wait for processes and time limits. Begun last, they would keep one process busy while the others have ended.
LONGEST = READERS | {
    *(
        "tests/analytics/test_stopping.py",
        "tests/system/test_rebuild_and_verify.py",
        "tests/system/faults/test_bench.py",
        "tests/system/test_quickstart.py",
    ),
    *("tests/system/test_kafka_outage.py", "tests/system/test_sql_outages.py", "tests/system/test_relay_stops.py"),
    *("tests/system/test_probes.py", "tests/analytics/test_watch.py"),
    *("tests/system/test_outages.py", "tests/system/test_dashboard_page.py", "tests/system/test_browser.py"),
    *("tests/analytics/test_rollups.py", "tests/analytics/test_order_and_repetition.py", "tests/demo/test_commands.py"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what CI wants more of than somebody who waits for the tests."""
    parser.addoption(
        "--kafka-outage-seconds", type=int, default=10, help="how long Kafka is away in the test of that (default: 10)"
    )
    parser.addoption("--write-golden", action="store_true", help="write this version's golden events, once a release")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: item.nodeid.partition("::")[0] not in LONGEST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Share the tests among processes by file; what reads a real broker's topics stays in one process."""
    config.option.loadscopereorder = False  # by the number of tests
    return OneReaderScheduling(config, log) if settings.KAFKA_BOOTSTRAP_SERVERS else None


class OneReaderScheduling(LoadFileScheduling):
    """Tests of consumers read all that is in the topics, so no other process may write there meanwhile."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "readers" if file in READERS else file


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a replica set, connected as the application is, with a database of this run and its indexes."""
    embedded = None if settings.MONGODB_URL else EmbeddedMongo(tmp_path_factory.mktemp("mongod"))
    if embedded:
        settings.MONGODB_URL = embedded.start()
    settings.DATABASE_NAME = f"test_{uuid.uuid4().hex[:12]}"
    mongoengine.disconnect_all()
    mongo.connect()
    domain_event.connect(check_sent)
    call_command("create_indexes", verbosity=0)
    yield settings.MONGODB_URL
    mongo.client().drop_database(settings.DATABASE_NAME)
    mongoengine.disconnect_all()
    if embedded:
        embedded.stop()


@pytest.fixture
def mongodb(mongodb_server: str) -> str:
    """The URL of a replica set whose collections are empty at the start of the test."""
    outage._outage = outage.Outage()  # as in a process that has just started
    database = mongo.database()
    for name in database.list_collection_names():
        database[name].delete_many({})
    return mongodb_server


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a broker that has the event topics; messages of earlier tests stay in them."""
    embedded = None if settings.KAFKA_BOOTSTRAP_SERVERS else EmbeddedKafka()
    if embedded:
        settings.KAFKA_BOOTSTRAP_SERVERS = embedded.start()
    call_command("create_topics", verbosity=0)
    yield settings.KAFKA_BOOTSTRAP_SERVERS
    if embedded:
        embedded.stop()
