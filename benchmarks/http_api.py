"""Reads and orders over HTTP: our API beside plain DRF, FastAPI with Beanie, and a bare PyMongo query."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import data, load
from benchmarks.report import OURS, Row, Speed, compare, interleaved, show
from benchmarks.servers import ASGI, WSGI, Service, granian
from benchmarks.sides import bare_pymongo

PLAIN_DRF = "plain DRF over MongoEngine"
FASTAPI = "FastAPI + Beanie"
BARE_HTTP = "bare PyMongo over HTTP"
BARE = "bare PyMongo in process"
SIDES = {
    OURS: ("marketplace.wsgi:application", WSGI),
    PLAIN_DRF: ("benchmarks.sides.plain_drf:application", WSGI),
    FASTAPI: ("benchmarks.sides.fastapi_beanie:app", ASGI),
    BARE_HTTP: ("benchmarks.sides.bare_pymongo:application", WSGI),
}
LIST_LIMIT = 20
ORDER_BODIES = 500


def filled() -> data.Shop:
    """Fill the database through our API."""
    with granian(*SIDES[OURS]) as service:
        return data.fill(service.url)


@contextmanager
def services() -> Iterator[dict[str, Service]]:
    """Serve all sides for the length of the block."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(granian(*side)) for name, side in SIDES.items()}


def reads(running: dict[str, Service], shop: data.Shop, folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Compare the single read and the list."""
    one = load.write_requests(
        folder / "one.tsv", [("GET", f"/products/{product_id}", "", b"") for product_id in shop.product_ids]
    )
    many = load.write_requests(folder / "list.tsv", [("GET", f"/products?limit={LIST_LIMIT}", "", b"")])
    rows = []
    for what, requests, read, at_least in (
        ("GET /products/{id}", one, _bare_one(shop), 1.6),
        (f"GET /products?limit={LIST_LIMIT}", many, _bare_list(), 4),
    ):
        sides = {name: _load(service, requests, seconds) for name, service in running.items()}
        rates = _measured(what, sides | {BARE: lambda read=read: _loop(read, seconds)}, rounds)
        rows += [
            compare(what, rates, PLAIN_DRF),
            compare(what, rates, FASTAPI, at_least=at_least),
            compare(what, rates, BARE_HTTP, at_least=1 / 2.5),
            compare(what, rates, BARE),
        ]
    return rows + _all_pages(running, folder, rounds, seconds)


def _all_pages(running: dict[str, Service], folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Compare lists that go through all products in turn: none is asked for again before its ready answer has gone."""
    pages = [f"/products?limit={LIST_LIMIT}&skip={skip}" for skip in range(0, data.PRODUCTS, LIST_LIMIT)]
    requests = load.write_requests(folder / "pages.tsv", [("GET", page, "", b"") for page in pages])
    what = f"GET /products?limit={LIST_LIMIT}&skip=..., all pages in turn"
    sides = {name: _load(running[name], requests, seconds) for name in (OURS, FASTAPI, BARE_HTTP)}
    rates = _measured(what, sides, rounds)
    return [compare(what, rates, FASTAPI), compare(what, rates, BARE_HTTP)]


def orders(running: dict[str, Service], shop: data.Shop, folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Compare placing orders of three lines: our transaction with stock and events beside plain inserts."""
    generator = random.Random(2)
    bodies = [json.dumps(data.order_body(shop, generator)).encode() for _ in range(ORDER_BODIES)]
    identity = f"X-User-ID: {shop.user_id}"
    requests = load.write_requests(folder / "orders.tsv", [("POST", "/orders", identity, body) for body in bodies])
    what = "POST /orders, 3 lines"
    sides = {name: _load(running[name], requests, seconds) for name in (OURS, FASTAPI)}
    return [compare(what, _measured(what, sides, rounds), FASTAPI, at_least=0.5)]


def _load(service: Service, requests: Path, seconds: float) -> Callable[[], Speed]:
    """Return a measurement of requests answered by the service."""

    def measure() -> Speed:
        before = sum(service.worker.cpu_times()[:2])
        answered = load.run(service.url, requests, seconds)
        return Speed(answered.per_second, answered.requests / (sum(service.worker.cpu_times()[:2]) - before))

    return measure


def _measured(what: str, sides: dict[str, Callable[[], Speed]], rounds: int) -> dict[str, list[Speed]]:
    """Run a round that does not count, then the rounds that do."""
    for measure in sides.values():
        measure()
    speeds = interleaved(sides, rounds)
    show(what, speeds)
    return speeds


def _bare_one(shop: data.Shop) -> Callable[[], object]:
    ids = itertools.cycle(shop.product_ids)
    return lambda: bare_pymongo.to_json(bare_pymongo.read_one(bare_pymongo.products, next(ids)))


def _bare_list() -> Callable[[], object]:
    return lambda: bare_pymongo.to_json(bare_pymongo.read_list(bare_pymongo.products, LIST_LIMIT))


def _loop(read: Callable[[], object], seconds: float) -> Speed:
    """Measure the read in this process."""
    begun, begun_cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < seconds:
        read()
        count += 1
    return Speed(count / (time.perf_counter() - begun), count / (time.process_time() - begun_cpu))
