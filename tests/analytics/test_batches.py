"""One batch, one transaction: dead letters beside rows, and a lock on the offsets that fences out a second writer."""

import pytest

from analytics.batches import Received, TooManyBadMessagesError, store
from analytics.models import ConsumerOffset, DeadLetter, User
from analytics.offsets import FencedError, OffsetStore
from tests.analytics.events import event, new_id, raw

pytestmark = pytest.mark.django_db

PARTITION = ("user", 0)
LIMIT = 50


@pytest.fixture
def offsets() -> OffsetStore:
    offsets = OffsetStore("g", "cluster")
    offsets.create({PARTITION: 0, ("order", 1): 7})
    return offsets


def received(envelopes, first=0):
    """Return messages at consecutive offsets; a pair is (key, value) as it is."""
    pairs = [e if isinstance(e, tuple) else (e["entity_id"].encode(), raw(e)) for e in envelopes]
    return [Received(PARTITION, first + number, key, value) for number, (key, value) in enumerate(pairs)]


def put(messages, offsets, expected=0, bad_in_a_row=0):
    return store(messages, offsets, {PARTITION: expected}, bad_in_a_row=bad_in_a_row, bad_limit=LIMIT)


def as_bytes(column) -> bytes | None:
    return None if column is None else bytes(column)


def stored_offset() -> int:
    return ConsumerOffset.objects.get(topic="user", partition=0, group_id="g").next_offset


def test_bad_messages_among_good_ones(offsets):
    ids = [new_id() for _ in range(3)]
    good = [event("user.created", user_id) for user_id in ids]
    poison = [
        (b"k", b"\x00\xff not JSON"),
        (None, None),
        (ids[0].encode(), raw(event("user.created", ids[0]) | {"event_type": "user.merged"})),
        (b"another key", raw(event("user.updated", ids[1], 2))),
        (ids[2].encode(), raw(event("user.created", ids[2]) | {"version": 0})),
    ]
    done = put(received([poison[0], good[0], poison[1], good[1], poison[2], poison[3], good[2], poison[4]]), offsets)
    assert (done.changed, done.dead, done.bad_in_a_row) == (3, 5, 1)
    assert User.objects.filter(pk__in=ids).count() == 3
    assert stored_offset() == 8
    letters = DeadLetter.objects.order_by("offset")
    assert [
        (bytes(x.key) if x.key is not None else None, bytes(x.value) if x.value is not None else None) for x in letters
    ] == poison
    assert [x.offset for x in letters] == [0, 2, 4, 5, 7]
    assert "unknown event type 'user.merged'" in letters[2].error
    assert "key" in letters[3].error
    assert {(x.topic, x.partition, x.cluster_id) for x in letters} == {("user", 0, "cluster")}


def test_a_bad_message_that_is_read_again_is_one_dead_letter(offsets):
    messages = received([(b"k", b"x")])
    put(messages, offsets)
    ConsumerOffset.objects.filter(topic="user").update(next_offset=0)
    put(messages, offsets)
    assert DeadLetter.objects.count() == 1


def test_bad_messages_at_one_offset_of_a_topic_that_was_made_anew_are_all_kept(offsets):
    lives = [(b"k", b"x"), (b"k", b"y"), (b"kx", b""), (None, b"x"), (b"k", None), (b"k", b""), (None, None)]
    for pair in [*lives, *lives]:
        ConsumerOffset.objects.filter(topic="user").update(next_offset=0)
        put(received([pair]), offsets)
    letters = [(as_bytes(one.key), as_bytes(one.value)) for one in DeadLetter.objects.order_by("id")]
    assert letters == lives


def test_a_settled_letter_stays_settled_when_its_message_is_read_again(offsets):
    put(received([(b"k", b"x")]), offsets)
    DeadLetter.objects.update(state=DeadLetter.DISCARDED)
    ConsumerOffset.objects.filter(topic="user").update(next_offset=0)
    put(received([(b"k", b"x")]), offsets)
    assert [letter.state for letter in DeadLetter.objects.all()] == [DeadLetter.DISCARDED]


def test_a_bad_event_is_repaired_by_the_next_of_its_entity(offsets):
    user_id = new_id()
    put(received([(user_id.encode(), b"{"), event("user.updated", user_id, 2)]), offsets)
    assert User.objects.get(pk=user_id).version == 2


def test_too_many_bad_messages_in_a_row_store_nothing(offsets):
    user_id = new_id()
    messages = received([event("user.created", user_id), *[(b"k", b"x")] * (LIMIT + 1)])
    with pytest.raises(TooManyBadMessagesError, match="51 bad messages in a row, the last one at offset 51"):
        put(messages, offsets)
    assert not User.objects.filter(pk=user_id).exists()
    assert not DeadLetter.objects.exists()
    assert stored_offset() == 0


def test_bad_messages_count_over_batches_and_a_good_one_ends_the_row(offsets):
    done = put(received([(b"k", b"x")] * LIMIT), offsets)
    assert done.bad_in_a_row == LIMIT
    with pytest.raises(TooManyBadMessagesError):
        put(received([(b"k", b"x")], first=LIMIT), offsets, expected=LIMIT, bad_in_a_row=LIMIT)
    good = received([event("user.created", new_id()), (b"k", b"x")], first=LIMIT)
    assert put(good, offsets, expected=LIMIT, bad_in_a_row=LIMIT).bad_in_a_row == 1


def test_the_second_writer_of_a_partition_writes_nothing(offsets):
    mine, theirs = new_id(), new_id()
    put(received([event("user.created", theirs)]), offsets)
    with pytest.raises(FencedError) as fenced:
        put(received([event("user.created", mine), (b"k", b"x")]), offsets)
    assert fenced.value.partitions == {PARTITION}
    assert not User.objects.filter(pk=mine).exists()
    assert not DeadLetter.objects.exists()
    assert stored_offset() == 1


def test_a_partition_without_a_stored_offset_is_fenced_too(offsets):
    ConsumerOffset.objects.all().delete()
    with pytest.raises(FencedError):
        put(received([event("user.created", new_id())]), offsets)


def test_offsets_of_groups_and_clusters_are_apart(offsets):
    for other in (OffsetStore("h", "cluster"), OffsetStore("g", "another")):
        other.create({PARTITION: 3})
        assert other.load([PARTITION]) == {PARTITION: 3}
    put(received([event("user.created", new_id())]), offsets)
    assert OffsetStore("h", "cluster").load([PARTITION]) == {PARTITION: 3}
    assert offsets.load([PARTITION, ("order", 1), ("post", 0)]) == {PARTITION: 1, ("order", 1): 7}


def test_creating_offsets_keeps_existing_ones(offsets):
    offsets.create({("order", 1): 0, ("order", 2): 4})
    assert offsets.load([("order", 1), ("order", 2)]) == {("order", 1): 7, ("order", 2): 4}


def test_large_raw_values_fit(offsets):
    value = b"\x00'\\\xff" * (550 * 1024)
    put(received([(b"k", value), (b"k", value), (b"k", value)]), offsets)
    assert bytes(DeadLetter.objects.first().value) == value
