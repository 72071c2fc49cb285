"""Whatever Kafka may do to the order of events, and however often it repeats them, the tables end the same.

2,100 generated streams run through decoding, writer and database; each is rolled back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.projections import Deletion
from tests.analytics.conftest import applied
from tests.analytics.streams import DELETIONS, LIVES, STEPS, batches, by_entity, folded, logs, stored, tombstones

pytestmark = pytest.mark.django_db


def examples(count: int) -> Callable[..., Any]:
    """Return Hypothesis settings: the same examples in each run, and a failing one is shrunk and printed."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        print_blob=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@contextmanager
def undone() -> Iterator[None]:
    """Roll back what the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def missing(gaps: Any) -> int:
    return sum(gap.missing for gap in gaps)


@examples(1000)
@given(log=logs(), steps=STEPS)
def test_delivery_as_kafka_may_do_it(log, steps):
    """Rewinds, replays, batches cut anywhere, two readers of the same partitions: the highest version shows."""
    sent = [one for partition in log for one in partition]
    with undone():
        gaps = [gap for batch in batches(log, steps) for gap in applied(*batch).gaps]
        assert stored() == folded(sent)
        assert gaps == []
        graves = tombstones()
        for entity_id, versions in by_entity(sent).items():
            newest = versions[-1]
            entity, what = newest["event_type"].split(".")
            if what == "deleted" and DELETIONS[entity] is Deletion.REMOVES:
                assert graves[entity_id] == newest["version"]
            else:
                assert graves.get(entity_id, 0) < newest["version"]


@examples(700)
@given(lives=LIVES, order=st.randoms(use_true_random=False), cuts=st.lists(st.integers(1, 6), min_size=20, max_size=20))
def test_any_order_at_all(lives, order, cuts):
    """As after dead letters that were retried late, where even an entity's own events come in the wrong order.

    What holds: where the highest version carries state, exactly that state shows. Where it is a deletion, a supplier or
    product has no row and a tombstone of that version; a user or post has a row if any of its states came, marked with
    the time of that deletion. Which of its states it shows then is open: a deletion carries none, and a state that
    comes after it is used only where there is no row yet.
    """
    sent = [one for events in lives for one in events]
    delivered = order.sample(sent, len(sent))
    with undone():
        for cut in cuts:
            batch, delivered = delivered[:cut], delivered[cut:]
            if batch:
                applied(*batch)
        found, expected = stored(), folded(sent)
        graves = tombstones()
        for entity_id, versions in by_entity(sent).items():
            newest = versions[-1]
            entity, what = newest["event_type"].split(".")
            row, wanted = found[entity].get(entity_id), expected[entity].get(entity_id)
            if what == "deleted" and wanted is not None:
                assert row is not None
                assert newest["data"]["deleted_at"][:19].replace("T", " ") in [str(value)[:19] for value in row]
            else:
                assert row == wanted
                assert children(found, entity_id) == children(expected, entity_id)
            if what == "deleted" and DELETIONS[entity] is Deletion.REMOVES:
                assert graves[entity_id] == newest["version"]


def children(rows: Any, entity_id: str) -> Any:
    """Return the rows of an entity's variants or items."""
    return {key: row for source in ("variants", "items") for key, row in rows[source].items() if key[0] == entity_id}


@examples(400)
@given(lives=LIVES, lost=st.sets(st.integers(0, 19), max_size=6), steps=STEPS)
def test_lost_events_are_counted_once(lives, lost, steps):
    """Versions that never come are counted when a later one does, however often that is repeated."""
    numbered = list(enumerate(one for events in lives for one in events))
    kept = [one for number, one in numbered if number not in lost]
    highest = {entity_id: versions[-1]["version"] for entity_id, versions in by_entity(kept).items()}
    holes = sum(number in lost and one["version"] < highest.get(one["entity_id"], 0) for number, one in numbered)
    with undone():
        assert holes == sum(missing(applied(*batch).gaps) for batch in batches([kept, []], steps))
        assert stored() == folded(kept)
