"""A relay process exits cleanly within 10 seconds of SIGTERM, whatever it waits for."""

import re
from collections.abc import Iterator

import pytest

from tests.servers.mongod import Mongod
from tests.system.relays import Broker, Outbox, RelayProcess
from tests.waiting import until

SECONDS = 10


@pytest.fixture(scope="module")
def mongod_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with Mongod(tmp_path_factory.mktemp("mongod") / "data") as mongod:
        yield mongod


@pytest.fixture
def mongod(mongod_of_module: Mongod) -> Iterator[Mongod]:
    yield mongod_of_module
    mongod_of_module.resume()


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.stop()


@pytest.fixture
def outbox(mongod: Mongod, broker: Broker) -> Iterator[Outbox]:
    with Outbox.of(mongod.address, broker.address) as outbox:
        yield outbox


@pytest.fixture
def relay(outbox: Outbox) -> Iterator[RelayProcess]:
    with outbox.relay() as relay:
        until(relay.leads)
        yield relay


def test_while_it_is_idle(relay: RelayProcess) -> None:
    assert relay.stop(SECONDS) < SECONDS / 2


def test_under_load(relay: RelayProcess, outbox: Outbox) -> None:
    outbox.put("a", 20_000)
    until(lambda: outbox.waiting() < 20_000)
    relay.stop(SECONDS)
    left = outbox.waiting()
    assert 0 < left < 20_000
    assert relay.logged(f"Published {20_000 - left} events, 0 attempts failed.")


def test_as_a_standby(relay: RelayProcess, outbox: Outbox) -> None:
    with outbox.relay() as standby:
        until(lambda: standby.logged("stands by"))
        assert standby.stop(SECONDS) < SECONDS / 2


def waits_for_kafka(relay: RelayProcess) -> bool:
    return any(re.search(r"[1-9]\d* wait for Kafka", line) for line in relay.lines)


@pytest.mark.parametrize("away", ["kafka gone", "kafka hangs", "mongodb hangs", "both hang"])
def test_while_a_server_is_away(relay: RelayProcess, outbox: Outbox, broker: Broker, mongod: Mongod, away: str) -> None:
    outbox.put("a", 50)
    until(lambda: not outbox.waiting())
    if away == "kafka gone":
        broker.stop()
    elif away != "mongodb hangs":
        broker.pause()
    outbox.put("a", 50)
    if mongodb_hangs := away in ("mongodb hangs", "both hang"):
        mongod.pause()
    try:
        until(lambda: relay.logged("MongoDB fails") if mongodb_hangs else waits_for_kafka(relay), 40)
        relay.stop(SECONDS)
    finally:
        mongod.resume()
    assert relay.logged("Published 50 events") or relay.logged("Published 100 events")


def test_while_kafka_has_never_been_there(mongod: Mongod, broker: Broker) -> None:
    broker.pause()
    with Outbox.of(mongod.address, broker.address) as outbox, outbox.relay() as relay:
        until(outbox.is_leased)
        relay.stop(SECONDS)
