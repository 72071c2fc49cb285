"""What servers' errors mean. Those that a test can have in earnest are tested beside their servers."""

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import OperationalError, ProgrammingError

from marketplace.doctor.failures import explain
from marketplace.doctor.registry import State


@pytest.mark.parametrize(
    ("error", "state", "is_away", "remedy"),
    [
        (KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE)), State.WARNING, False, "in a minute"),
        (KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)), State.SKIPPED, False, "Kafka transactions"),
        (KafkaException(KafkaError(KafkaError.INVALID_CONFIG)), State.FAULT, False, "brokers' log"),
        (KafkaException(KafkaError(KafkaError._TIMED_OUT)), State.FAULT, True, "KAFKA_BOOTSTRAP_SERVERS"),
        (OperationalError(1045, "Access denied"), State.FAULT, True, "DATABASE_URL"),
        (OperationalError(1049, "Unknown database 'x'"), State.FAULT, True, "CREATE DATABASE"),
        (OperationalError(1142, "SELECT command denied"), State.SKIPPED, False, "GRANT"),
        (OperationalError(2006, "Server has gone away"), State.FAULT, True, "DATABASE_URL"),
        (ProgrammingError(1146, "Table 'x' doesn't exist"), State.FAULT, False, "manage.py migrate"),
        (OperationalError("no such table: x"), State.FAULT, False, "manage.py migrate"),
        (TimeoutError("no answer within 5 s"), State.FAULT, True, "firewall"),
    ],
)
def test_an_error_is_told_with_its_remedy(error: Exception, state: State, is_away: bool, remedy: str) -> None:
    failure = explain(error)
    assert (failure.finding.state, failure.is_away) == (state, is_away)
    assert remedy in failure.finding.remedy


def test_what_nobody_expects_is_raised() -> None:
    with pytest.raises(KeyError):
        explain(KeyError("x"))
