"""Kafka away for a while: the API does not notice, events wait in MongoDB, and all of them arrive afterwards.

`--kafka-outage-seconds` says for how long (default 10; CI gives 60).
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from marketplace.events.catalogue import TOPICS
from tests.marketplace.mock_broker import MockBroker
from tests.servers.kafka import Kafka
from tests.servers.mongod import Mongod
from tests.system.faults.processes import Api, Process, manage
from tests.system.outages import EventConsumer
from tests.system.test_api_alone import ask
from tests.waiting import until

USER = {"password": "long enough", "display_name": "Ada"}
DATABASE = "shop"
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "tests.settings", "ALLOWED_HOSTS": "127.0.0.1", "DATABASE_NAME": DATABASE}
WRITES_A_SECOND = 4
DRAIN_SECONDS = 30
SLOWEST_SECONDS = 3.0  # far more than a write takes, far less than a wait for a broker


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Run a broker; give its address, and what takes it away and brings it back with what it has.

    Apache Kafka is killed and started again; without Java, the embedded one breaks its connections and takes none.
    """
    if Kafka.missing():
        with MockBroker.running() as mock:
            client = AdminClient({"bootstrap.servers": mock.address, "log_level": 0})
            for topic in TOPICS:  # it makes a topic that is asked for
                client.list_topics(topic, timeout=10)
            yield mock.address, mock.go_down, mock.come_up
    else:
        with Kafka(folder) as kafka:
            yield kafka.address, kafka.kill, kafka.start


class Shop:
    """API, relay and consumer as processes, and users who sign up."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.api = Api(environment, folder)
        self.relay = Process("relay", "relay", ["relay_events"], environment, folder)
        self.consumer = EventConsumer(environment, folder)
        self.signed_up: set[str] = set()
        self.slowest = 0.0

    def sign_up(self, number: int) -> None:
        """Make users, WRITES_A_SECOND, and remember how long the slowest answer took."""
        begun = time.monotonic()
        for turn in range(number):
            time.sleep(max(0, begun + turn / WRITES_A_SECOND - time.monotonic()))
            asked = time.monotonic()
            body = USER | {"email": f"u{len(self.signed_up)}@example.com"}
            status, user = ask(f"http://127.0.0.1:{self.api.port}/users", body)
            assert status == 201, user
            self.slowest = max(self.slowest, time.monotonic() - asked)
            self.signed_up.add(user["id"])

    @contextmanager
    def open(self) -> Iterator[None]:
        """Run the processes for the length of the block, and check that they end as they should."""
        processes = (self.api, self.relay, self.consumer)
        for process in processes:
            process.start()
        try:
            yield
        finally:
            codes = [process.stop() for process in processes]
        assert codes == [0, 0, 0]


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path / "mongod") as mongod:
        yield mongod


def test_nothing_is_lost(mongod: Mongod, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    analytics = tmp_path / "analytics.sqlite3"
    outbox = MongoClient(mongod.address)[DATABASE].outbox

    def all_arrived() -> bool:
        with closing(sqlite3.connect(analytics, timeout=10)) as database:
            rows = {row[0] for row in database.execute("SELECT user_id FROM users")}
        return rows == shop.signed_up and outbox.find_one() is None

    with broker(tmp_path / "kafka") as (address, take_away, bring_back), closing(outbox.database.client):
        environment = ENVIRONMENT | {
            "MONGODB_URL": mongod.address,
            "KAFKA_BOOTSTRAP_SERVERS": address,
            "DATABASE_URL": f"sqlite:///{analytics}",
        }
        for command in ("migrate", "create_indexes", "create_topics"):
            manage(command, "--skip-checks", environment=environment)
        shop = Shop(environment, tmp_path)
        with shop.open():
            shop.sign_up(10)
            until(all_arrived, 60, f"the first users, with\n{shop.consumer.tail()}")
            before = len(shop.signed_up)
            take_away()
            shop.sign_up(WRITES_A_SECOND * pytestconfig.getoption("kafka_outage_seconds"))
            assert outbox.count_documents({}) == len(shop.signed_up) - before
            bring_back()
            until(all_arrived, DRAIN_SECONDS, f"the backlog, with\n{shop.relay.tail(30)}\n{shop.consumer.tail(30)}")
    assert shop.slowest < SLOWEST_SECONDS
