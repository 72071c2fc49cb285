"""What a server's error means to somebody who wants to put it right: refused, away, or without the right to look."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from marketplace.doctor.registry import Finding, fault, skipped, warning

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_UNAUTHORIZED, _AUTHENTICATION_FAILED = 13, 18
_KAFKA_DENIED: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
# A broker that has just started, or a cluster whose first group or transaction this is.
_KAFKA_NOT_YET: Final = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
_KAFKA_AWAY: Final = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._RESOLVE,
}
# https://dev.mysql.com/doc/mysql-errors/8.4/en/: who may not log in, which database is not there, what is not allowed.
_SQL_ACCESS, _SQL_NO_DATABASE, _SQL_NO_TABLE = {1044, 1045, 1698}, 1049, 1146
_SQL_DENIED: Final = {1142, 1143, 1227, 1370}
_SQL_CLIENT: Final = range(2000, 3000)  # errors of the connection itself


@dataclass(frozen=True, slots=True)
class Failure:
    """A finding, and whether asking the same server anything else is of no use."""

    finding: Finding
    is_away: bool = False


@singledispatch
def explain(error: Exception) -> Failure:
    """Return what an error of a check means. Raises the error itself when nothing is known of it."""
    raise error


@explain.register
def _no_answer(error: TimeoutError) -> Failure:
    remedy = "Look whether the server hangs, or a firewall drops what is sent to it."
    return Failure(fault(str(error), remedy), is_away=True)


@explain.register
def _not_set(error: ImproperlyConfigured) -> Failure:
    return Failure(fault(str(error), "Set it; .env.example says what it takes."), is_away=True)


@explain.register
def _mongodb(error: PyMongoError) -> Failure:
    text = first_line(error)
    if isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
        return Failure(skipped(f"this account may not look: {text}", "Grant it clusterMonitor, or ask with another."))
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return Failure(fault(text, "Correct the name, password or authSource in MONGODB_URL."), is_away=True)
    if isinstance(error, ConnectionFailure) or error.timeout:
        remedy = "Start it, or correct MONGODB_URL; the replica set must have a primary that this host can reach."
        return Failure(fault(f"does not answer: {text}", remedy), is_away=True)
    return Failure(fault(text, "See mongod's log."))


@explain.register
def _kafka(error: KafkaException) -> Failure:
    cause: KafkaError = error.args[0]
    if cause.code() in _KAFKA_DENIED:
        remedy = "Grant what docs/operations.md names under 'Kafka transactions', or ask with another account."
        return Failure(skipped(f"this account may not look: {cause.str()}", remedy))
    if cause.code() in _KAFKA_AWAY:
        remedy = "Start it, or correct KAFKA_BOOTSTRAP_SERVERS; this host must reach what brokers advertise, too."
        return Failure(fault(f"does not answer: {cause.str()}", remedy), is_away=True)
    if cause.code() in _KAFKA_NOT_YET:
        remedy = "Ask again in a minute; if it says the same then, see the brokers' log."
        return Failure(warning(f"not ready yet: {cause.name()}", remedy))
    return Failure(fault(f"{cause.name()}: {cause.str()}", "See the brokers' log."))


@explain.register(DatabaseError)
@explain.register(InterfaceError)
def _sql(error: Exception) -> Failure:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = first_line(error)
    if code in _SQL_ACCESS:
        return Failure(fault(text, "Correct the name or password in DATABASE_URL, or GRANT the account."), is_away=True)
    if code == _SQL_NO_DATABASE:
        return Failure(fault(text, "CREATE DATABASE, then manage.py migrate."), is_away=True)
    if code in _SQL_DENIED:
        return Failure(skipped(f"this account may not look: {text}", "GRANT it, or ask with another."))
    if code == _SQL_NO_TABLE or text.startswith("no such table"):
        return Failure(fault(text, "manage.py migrate"))
    if code in _SQL_CLIENT or text == "unable to open database file":
        return Failure(fault(f"does not answer: {text}", "Start it, or correct DATABASE_URL."), is_away=True)
    return Failure(fault(text, "See the server's log."))


def first_line(error: Exception) -> str:
    """Return the error's text without what drivers add of their view of the world."""
    text = str(error.args[-1] if error.args else error)
    return text.partition("\n")[0].partition(", Timeout: ")[0].partition(", full error: ")[0].strip()
