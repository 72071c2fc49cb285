"""What all demo data is made with: draws that repeat, ids that follow from a name, and days with a weekly rhythm."""

import hashlib
import math
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from operator import attrgetter
from random import Random
from typing import Any, TypeVar

from bson import ObjectId
from rest_framework.serializers import Serializer

from marketplace import mongo

T = TypeVar("T")
# Monday first: people write and buy most at the week-end.
WEEKDAY_WEIGHTS = (0.8, 0.75, 0.8, 0.9, 1.15, 1.6, 1.4)
# From midnight on: quiet nights, a peak in the evening.
HOUR_WEIGHTS = (2, 1, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 10, 9, 8, 8, 9, 10, 12, 14, 15, 13, 9, 5)
WINDOW_DAYS = 90
# Multiples of it, modulo 1, lie evenly however many are taken (Weyl's sequence with the golden ratio).
GOLDEN = (math.sqrt(5) - 1) / 2
LOOKUP_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of demo data: its collection, the key it is found by, and how to make it if it is not there yet."""

    collection: str
    key: Any
    make: Callable[[], object]
    field: str = "_id"


@dataclass(frozen=True, slots=True)
class Demand:
    """What was asked for: how many, drawn from which seed, reaching up to which moment."""

    count: int
    seed: int
    until: datetime


def draw(*key: object) -> Random:
    """Return a generator of random numbers that gives the same for the same key, on every machine."""
    return Random(":".join(map(str, key)))


def demo_id(collection: str, name: str) -> ObjectId:
    """Return the id of the demo document with this natural key: known before it exists, the same in every run."""
    return ObjectId(hashlib.sha256(f"{collection}:{name}".encode()).digest()[:12])


def missing(items: Sequence[Item]) -> Iterator[Item]:
    """Yield what does not exist yet, in the given order."""
    for start in range(0, len(items), LOOKUP_BATCH):
        batch = items[start : start + LOOKUP_BATCH]
        for (collection, field), group in groupby(batch, key=attrgetter("collection", "field")):
            wanted = {item.key: item for item in group}
            found = set(mongo.database()[collection].distinct(field, {field: {"$in": list(wanted)}}))
            yield from (item for key, item in wanted.items() if key not in found)


def validated(serializer: type[Serializer[Any]], body: dict[str, Any]) -> dict[str, Any]:
    """Return the changes that the API would make of a request body. Raises DRF's ValidationError."""
    request = serializer(data=body)
    request.is_valid(raise_exception=True)
    return dict(request.validated_data)


def pick(random: Random, weighted: dict[T, float]) -> T:
    """Return one of the keys, by weight."""
    return random.choices(list(weighted), weights=list(weighted.values()))[0]


def long_tail(random: Random, ranked: Sequence[T], exponent: float = 0.75) -> T:
    """Return one of the values, the first ones most often."""
    return random.choices(ranked, weights=[1 / (rank + 1) ** exponent for rank in range(len(ranked))])[0]


def lognormal(random: Random, median: float, sigma: float) -> float:
    """Return a positive number around `median` with a long tail upwards."""
    return random.lognormvariate(math.log(median), sigma)


def moments(demand: Demand, what: str, *, growth: float) -> list[datetime]:
    """Return a moment for each of the demanded, in the WINDOW_DAYS before the end, with a weekly and daily rhythm.

    The last day gets 1 + `growth` times as many as the first. The days share them evenly, not by chance, so that the
    rhythm shows with a few a day; the n-th has the same moment whatever the count.
    """
    days = [demand.until - timedelta(days=back) for back in range(WINDOW_DAYS, 0, -1)]
    weights = (WEEKDAY_WEIGHTS[day.weekday()] * (1 + growth * number / WINDOW_DAYS) for number, day in enumerate(days))
    shares = list(accumulate(weights))
    begin = draw(demand.seed, what, "begin").random()
    chosen = (days[bisect(shares, (begin + n * GOLDEN) % 1 * shares[-1])] for n in range(demand.count))
    return [day + _time_of_day(draw(demand.seed, what, n)) for n, day in enumerate(chosen)]


def _time_of_day(random: Random) -> timedelta:
    hour = random.choices(range(24), weights=HOUR_WEIGHTS)[0]
    return after(random, timedelta(hours=hour), timedelta(hours=hour + 1))


def after(random: Random, least: timedelta, most: timedelta) -> timedelta:
    """Return a time span between the two, in the milliseconds that MongoDB keeps."""
    millisecond = timedelta(milliseconds=1)
    return random.randrange(least // millisecond, most // millisecond) * millisecond
