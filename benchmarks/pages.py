"""What a page of 20 costs at a depth of 100,000, by cursor and by skip, in relation to the first page of its list."""

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from bson import ObjectId
from django.contrib.auth import get_user_model
from django.test import Client

from benchmarks.data import Shop
from benchmarks.report import Speed, as_markdown, interleaved, show
from marketplace import mongo

DEPTH = 100_000
LIMIT = 20
BATCH = 10_000
REQUESTS = 30
WANTED = 1.3
FIRST, DEEP, SKIPPED = "first page", f"cursor page at {DEPTH:,}", f"skip={DEPTH}"
# The field that must differ in each document, and the time that the list is sorted by.
LISTS = {
    "users": ("contact_info.primary_email", "created_at"),
    "suppliers": ("contact_info.primary_email", "created_at"),
    "products": ("", "created_at"),
    "orders": ("order_number", "created_at"),
    "posts": ("", "published_at"),
}


def pages(shop: Shop, rounds: int) -> str:
    """Measure every list in this process, against MongoDB over its socket, and return the table."""
    owner = {"X-User-ID": shop.user_id}
    body = {"post_type": "text", "text_content": "Look at this"}
    Client(headers=owner).post("/posts", body, content_type="application/json")
    staff = Client()
    staff.force_login(get_user_model().objects.create_user("bench", is_staff=True))
    callers = {"users": staff, "orders": Client(headers=owner)}
    return as_markdown(
        ["list", f"{DEEP} / first", "lowest to highest round", "wanted", "", f"{SKIPPED} / first"],
        [_row(name, callers.get(name, Client()), rounds) for name in LISTS],
    )


def _row(name: str, caller: Client, rounds: int) -> list[str]:
    _fill(name)
    path = f"/{name}?limit={LIMIT}"
    # The page before the deep one names its cursor.
    before = caller.get(f"{path}&skip={DEPTH - LIMIT}")
    deep = before["Link"].partition(">")[0].removeprefix("<http://testserver")
    paths = {FIRST: path, DEEP: deep, SKIPPED: f"{path}&skip={DEPTH}"}
    sides = {what: _measurement(caller, url) for what, url in paths.items()}
    for measure in sides.values():
        measure()
    speeds = interleaved(sides, rounds)
    show(f"GET /{name}", speeds)
    ratios, skipped = _ratios(speeds, DEEP), _ratios(speeds, SKIPPED)
    ratio = statistics.median(ratios)
    return [
        f"GET /{name}",
        f"{ratio:.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"< {WANTED:g}",
        "met" if ratio < WANTED else "**not met**",
        f"{statistics.median(skipped):.0f}",
    ]


def _ratios(speeds: dict[str, list[Speed]], side: str) -> list[float]:
    """Return time through time, round by round."""
    pairs = zip(speeds[FIRST], speeds[side], strict=True)
    return [first.per_second / other.per_second for first, other in pairs]


def _measurement(caller: Client, path: str) -> Callable[[], Speed]:
    def measure() -> Speed:
        times = []
        for _ in range(REQUESTS if "skip" not in path else 1):
            begun = time.perf_counter()
            if len(caller.get(path).json()) != LIMIT:
                raise RuntimeError(f"{path} is not a full page")
            times.append(time.perf_counter() - begun)
        return Speed(1 / statistics.median(times))

    return measure


def _fill(name: str) -> None:
    """Add copies of the list's newest document, so that there is something behind DEPTH."""
    collection = mongo.database()[name]
    model: Any = collection.find_one(sort=[("_id", -1)])
    copies = _copies(model, *LISTS[name])
    for _ in range(0, DEPTH + BATCH, BATCH):
        collection.insert_many([next(copies) for _ in range(BATCH)], ordered=False)


def _copies(model: mongo.Stored, unique: str, moment: str) -> Iterator[mongo.Stored]:
    """Yield copies of a document, one a millisecond, as old as the list is long."""
    for number in range(DEPTH + 2 * BATCH):
        made = copy.deepcopy(model)
        made["_id"] = ObjectId()
        made[moment] -= timedelta(milliseconds=number)
        if unique:
            *parents, last = unique.split(".")
            (made[parents[0]] if parents else made)[last] = f"{number}@example.com"
        yield made
