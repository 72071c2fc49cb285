"""The consumer's database thread: whoever waits for an operation hears of its end, whatever goes wrong beside it."""

from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, close_old_connections, connections

from analytics import database_thread
from analytics.database_thread import DatabaseThread

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER_SECONDS = 20


@pytest.fixture
def thread() -> Iterator[DatabaseThread]:
    thread = DatabaseThread()
    yield thread
    thread.end(ANSWER_SECONDS)


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def gone() -> OperationalError:
    return OperationalError(2006, "Server has gone away")


def test_an_operation_ends_although_the_old_connection_cannot_be_closed(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([failing(gone()), close_old_connections])
    monkeypatch.setattr(database_thread, "close_old_connections", lambda: next(failures)())
    with pytest.raises(OperationalError, match="gone away"):
        thread.submit(lambda: 1).result(ANSWER_SECONDS)
    assert thread.submit(lambda: 2).result(ANSWER_SECONDS) == 2


def test_an_outage_is_told_although_the_connection_cannot_be_closed(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(type(connections["default"]), "close", failing(OperationalError("cannot be closed")))
        with pytest.raises(OperationalError, match="gone away"):
            thread.submit(failing(gone())).result(ANSWER_SECONDS)
        assert thread.submit(lambda: 2).result(ANSWER_SECONDS) == 2
    assert "cannot be closed" in caplog.text


def test_an_operation_that_ends_its_thread_ends_only_itself(thread: DatabaseThread) -> None:
    with pytest.raises(SystemExit):
        thread.submit(failing(SystemExit(3))).result(ANSWER_SECONDS)
    assert thread.submit(lambda: 2).result(ANSWER_SECONDS) == 2
