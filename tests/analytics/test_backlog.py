"""The short form of `python -m benchmarks backlog`: events wait, the database stops half of the time, once for long."""

import shutil

import pytest


@pytest.mark.skipif(not shutil.which("mariadbd") or not shutil.which("mvn"), reason="needs MariaDB, Java and Maven")
def test_a_consumer_drains_a_backlog_on_a_slow_database_in_its_place_and_its_memory() -> None:
    pytest.importorskip("MySQLdb")
    from benchmarks.backlog import backlog  # noqa: PLC0415  # needs MySQLdb

    outcome = backlog(20_000, long_pause=12)
    assert outcome.events == 20_000
    assert outcome.meets, outcome
