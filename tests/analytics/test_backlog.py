"""The short form of `python -m benchmarks backlog`: events wait, the database stops half of the time, once for longer.

It is too short to lose a place in the group: that is for the long form, and for `test_stopping.py`.
"""

import shutil

import pytest


@pytest.mark.skipif(not shutil.which("mariadbd") or not shutil.which("mvn"), reason="needs MariaDB, Java and Maven")
def test_a_consumer_drains_a_backlog_on_a_slow_database_within_its_memory() -> None:
    pytest.importorskip("MySQLdb")
    from benchmarks.backlog import LIMIT_MIB, backlog  # noqa: PLC0415  # needs MySQLdb

    outcome = backlog(6_000, long_pause=5)
    assert (outcome.events, outcome.exit_code) == (6_000, 0)
    assert outcome.peak_mib < LIMIT_MIB
