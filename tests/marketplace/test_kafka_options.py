"""KAFKA_OPTIONS: what brokers that want TLS or an account need, from the environment to each client."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaException

from marketplace import kafka
from tests.marketplace.test_settings import import_settings

CLIENTS: dict[str, Callable[[], object]] = {
    "admin": kafka.admin,
    "producer": kafka.producer,
    "transactional producer": lambda: kafka.transactional_producer("relay"),
    "consumer": lambda: kafka.consumer("any"),
}


def test_they_are_read_from_the_environment(tmp_path: Any) -> None:
    done = import_settings(
        tmp_path,
        "print(settings.KAFKA_OPTIONS)",
        SECRET_KEY="s" * 50,
        KAFKA_OPTIONS="security.protocol=SASL_SSL,sasl.username=shop,sasl.password=a==",
    )
    assert done.stdout.strip() == str(
        {"security.protocol": "SASL_SSL", "sasl.username": "shop", "sasl.password": "a=="}
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_takes_them(client: str, settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    settings.KAFKA_OPTIONS = {"security.protocol": "nonsense"}
    with pytest.raises(KafkaException, match=r"security\.protocol"):
        CLIENTS[client]()


def test_they_do_not_change_what_the_marketplace_relies_on(settings: Any) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    settings.KAFKA_OPTIONS = {"acks": "nonsense"}
    kafka.producer()
    settings.KAFKA_OPTIONS = {"enable.auto.commit": "nonsense"}
    kafka.consumer("any").close()
