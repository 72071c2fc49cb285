"""Which errors are waited out, and how long."""

import itertools
import sqlite3

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from analytics.outages import BackOff, is_bad_value, is_outage


def sqlite_error(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("it says")
    cause.sqlite_errorcode = code
    error = OperationalError("it says")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        *(OperationalError(code, "") for code in (1205, 1213, 2002, 2006, 2013, 1290, 1836, 1040, 1053, 4031)),
        *(OperationalError(code, "") for code in (1020, 1114, 1792, 1969, 3032, 3169)),
        InterfaceError(0, ""),
        IntegrityError(1062, "Duplicate entry"),
        *(sqlite_error(code) for code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY)),
        sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT),
        KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN)),
    ],
)
def test_away(error):
    assert is_outage(error)
    assert isinstance(error, KafkaException) or not is_bad_value(error)


@pytest.mark.parametrize(
    "error",
    [
        DataError(1406, ""),
        IntegrityError(1048, ""),
        OperationalError(1366, "Incorrect string"),
        OperationalError(1153, ""),
        OperationalError(2020, "the client's own limit of a packet"),
        OperationalError("integer overflow"),
    ],
)
def test_bad_values(error):
    assert is_bad_value(error)
    assert not is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        ProgrammingError(1146, "no such table"),
        sqlite_error(sqlite3.SQLITE_ERROR),
        OperationalError(1054, "Unknown column"),
        OperationalError(2014, "Commands out of sync"),
        KafkaException(KafkaError(KafkaError._FATAL, fatal=True)),
    ],
)
def test_anything_else_ends_the_process(error):
    assert not is_outage(error)
    assert isinstance(error, KafkaException) or not is_bad_value(error)


def test_waits_double_up_to_the_longest_with_jitter():
    delays = list(itertools.islice(BackOff(first_seconds=1, longest_seconds=8).delays(), 50))
    for delay, ceiling in zip(delays, [1, 2, 4, *[8] * 47], strict=True):
        assert ceiling / 2 <= delay <= ceiling
    assert len(set(delays)) > 40


def test_no_wait_is_longer_than_the_promised_ten_seconds_leave_room_for():
    assert max(itertools.islice(BackOff().delays(), 50)) <= 5
