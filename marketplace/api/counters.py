"""Counts per window of time that all API processes share, in MongoDB. What is counted, and how far, says limits.py.

A window begins with the first hit of a key and is WINDOW_SECONDS long, by MongoDB's clock: the clocks of API hosts do
not matter. Keys are stored as a keyed hash, for they are addresses and emails.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import cast

from django.utils.crypto import salted_hmac
from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from marketplace import mongo
from marketplace.mongo import Stored

COLLECTION = "rate_limits"
INDEX = IndexModel("ends_at", expireAfterSeconds=0)  # by which MongoDB removes counts of past windows
WINDOW_SECONDS = 60
# A process takes its next hits of a key in blocks: so many at once, but at most one percent of what is left.
MAX_BLOCK = 50
BLOCKS_LEFT = 100
# Keys whose blocks a process remembers.
MAX_LEASES = 10_000

_OPEN = {"$gt": ["$ends_at", "$$NOW"]}  # false for a new document, too


@dataclass(frozen=True, slots=True)
class Count:
    """A key's hits in its window, and the seconds until that ends."""

    hits: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands: may this request pass, how many more may, and the seconds until the count begins anew."""

    allowed: bool
    remaining: int
    seconds: int


class SharedCount:
    """The counts of one policy."""

    def __init__(self, policy: str) -> None:
        self.policy = policy

    def add(self, key: str, hits: int = 1) -> Count:
        """Add to a key's count, in a new window when the last has ended, and return it."""
        change = {
            "hits": {"$add": [{"$cond": [_OPEN, "$hits", 0]}, hits]},
            "ends_at": {"$cond": [_OPEN, "$ends_at", {"$add": ["$$NOW", WINDOW_SECONDS * 1000]}]},
            "counted_at": "$$NOW",
        }
        found = self._collection().find_one_and_update(
            {"_id": self._id(key)}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
        )
        stored = cast(Stored, found)  # never None, with upsert
        return Count(stored["hits"], (stored["ends_at"] - stored["counted_at"]).total_seconds())

    def read(self, keys: Sequence[str]) -> list[Count]:
        """Return the counts of those keys that have an open window."""
        query = {"_id": {"$in": [self._id(key) for key in keys]}, "$expr": _OPEN}
        found = self._collection().find(query, {"hits": 1, "milliseconds": {"$subtract": ["$ends_at", "$$NOW"]}})
        return [Count(one["hits"], one["milliseconds"] / 1000) for one in found]

    def _id(self, key: str) -> str:
        return f"{self.policy}:{salted_hmac(COLLECTION, key, algorithm='sha256').hexdigest()}"

    def _collection(self) -> Collection[Stored]:
        # A count that a failover loses is worth less than waiting for the journal and a second node on each request.
        return mongo.database().get_collection(COLLECTION, write_concern=WriteConcern(w=1, j=False))


class _Lease:
    """The rest of a key's block, the shared count as last heard, and when both end."""

    __slots__ = ("ends", "free", "hits")

    def __init__(self, ends: float) -> None:
        self.hits = 0
        self.free = 0
        self.ends = ends

    def hear(self, count: Count, block: int, limit: int, asked: float) -> None:
        """Take what of a block that was asked for at this moment lies within the limit."""
        self.hits = max(self.hits, count.hits)
        self.free += max(0, min(block, limit - count.hits + block))
        self.ends = asked + count.seconds

    def take(self, limit: int, now: float) -> Standing:
        """Take one hit, if there is one."""
        allowed = self.free > 0
        self.free -= allowed
        return Standing(allowed, max(0, limit - self.hits) + self.free, max(1, ceil(self.ends - now)))


class Leases:
    """One process's hold on the counts of a policy: all processes together never let more pass than the limit.

    Hits come out of a leased block without MongoDB. What a process leased and has not used when the window ends is
    lost to the others: up to one percent of the limit, so below 200 the limit is exact. A used up limit costs nothing.
    """

    def __init__(self, policy: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = SharedCount(policy)
        self._clock = clock
        self._lock = threading.Lock()
        self._leases: dict[str, _Lease] = {}

    def take(self, key: str, limit: int) -> Standing:
        """Count one hit of a key against the limit."""
        now = self._clock()
        with self._lock:
            lease = self._lease(key, now)
            if lease.free or lease.hits >= limit:
                return lease.take(limit, now)
            block = min(MAX_BLOCK, max(1, (limit - lease.hits) // BLOCKS_LEFT))
        count = self._shared.add(key, block)  # without the lock: other keys go on
        with self._lock:
            lease.hear(count, block, limit, now)
            return lease.take(limit, now)

    def _lease(self, key: str, now: float) -> _Lease:
        """Return the key's lease, a new one when its window has ended; the oldest makes room when there are many."""
        lease = self._leases.get(key)
        if lease is None or lease.ends <= now:
            self._leases.pop(key, None)
            if len(self._leases) >= MAX_LEASES:
                del self._leases[next(iter(self._leases))]
            lease = self._leases[key] = _Lease(now + WINDOW_SECONDS)
        return lease
