"""Rebuilding the tables from MongoDB: they end as the consumer would have left them, whatever was in them before."""

import pytest

from analytics.decoding import DECODERS
from analytics.mending import rebuild
from tests.analytics import shop

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]


def rebuild_all(batch_size: int = 500) -> dict:
    return {one.projection.entity: rebuild(one, batch_size=batch_size) for one in DECODERS}


@pytest.mark.parametrize("batch_size", [1, 3, 500])
def test_emptied_tables_end_as_the_consumer_had_left_them(batch_size: int) -> None:
    shop.fill()
    shop.project()
    before = shop.tables()
    assert all(before.values())
    shop.empty()
    done = rebuild_all(batch_size)
    assert shop.tables() == before
    assert {kind for one in done.values() for kind in one.kinds} == {"missing"}
    assert not any(one.kinds for one in rebuild_all().values())
