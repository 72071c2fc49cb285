"""Where the consumer stands while partitions come and go, and where Kafka's ends lie behind the last message."""

from analytics.batches import Received
from analytics.progress import Progress

HERE, THERE = ("user", 0), ("user", 1)


def reading(*messages: tuple[tuple[str, int], int]) -> Progress:
    """Return the progress of a consumer that reads two partitions from offset 5 on, targets 9."""
    progress = Progress(assigned=True, waiting={HERE, THERE})
    for partition in (HERE, THERE):
        progress.begin(partition, 5, 9)
    progress.pending = [Received(partition, offset, b"k", b"v") for partition, offset in messages]
    return progress


def test_a_stored_batch_moves_on_and_leaves_what_came_meanwhile():
    progress = reading((HERE, 5), (THERE, 5), (HERE, 6))
    progress.stored({HERE: 6, THERE: 6})
    assert progress.positions == {HERE: 6, THERE: 6}
    assert [(message.partition, message.offset) for message in progress.pending] == [(HERE, 6)]


def test_a_batch_in_flight_moves_no_partition_that_was_revoked_and_assigned_again():
    progress = reading((HERE, 5), (THERE, 5))
    progress.forget({HERE})
    progress.waiting.add(HERE)
    progress.stored({HERE: 6, THERE: 6})
    assert progress.positions == {THERE: 6}
    assert progress.waiting == {HERE}
    assert progress.pending == []


def test_an_end_behind_the_last_message_counts_once_all_before_it_is_stored():
    progress = reading((HERE, 7))
    progress.ends |= {HERE: 9, THERE: 9}
    assert progress.reached() == {HERE: 5, THERE: 9}
    assert not progress.caught_up()
    progress.stored({HERE: 8})
    assert progress.reached() == {HERE: 9, THERE: 9}
    assert progress.caught_up()


def test_ends_are_forgotten_with_their_partition():
    progress = reading()
    progress.ends[HERE] = 9
    progress.forget({HERE})
    progress.begin(HERE, 5, 9)
    assert progress.reached()[HERE] == 5


def test_observers_are_told_each_thing_once():
    progress = reading()
    assert progress.news() == {HERE: 5, THERE: 5}
    assert progress.news() == {}
    progress.ends[HERE] = 6
    assert progress.news() == {HERE: 6}


def test_nothing_is_caught_up_before_partitions_are_assigned_and_looked_up():
    assert not Progress().caught_up()
    assert not Progress(assigned=True, waiting={HERE}).caught_up()
    assert Progress(assigned=True).caught_up()
