"""What a request and an event cost: CPU time of each process, bytes, memory, connections; and 1, 2, 3 consumers.

The figures that docs/scaling.md computes with. Wants real servers: `.ci/servers.py python -m benchmarks costs`.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from django.core.management import call_command
from django.db import connection

from benchmarks import data, http_api, load, usage
from benchmarks.events import outbox
from benchmarks.memory import command
from benchmarks.report import OURS, as_markdown
from benchmarks.servers import ROOT, granian
from marketplace import mongo
from marketplace.events.outbox import OUTBOX

CUSTOMER = {"email": "c@example.com", "password": "secret-word-1"}
ORDER_BODIES = 2000
CONSUMERS = (1, 2, 3)
LOOK_SECONDS = 0.01
MOST_SECONDS = 600

Servers = Mapping[str, psutil.Process]


def costs(folder: Path, seconds: float) -> list[str]:
    """Measure everything once and return the tables as Markdown. Orders are sent for twenty times `seconds`."""
    for name in ("migrate", "create_indexes", "create_topics"):
        call_command(name, verbosity=0)
    servers = {role: usage.server(os.environ[name]) for role, name in usage.ROLES.items()}
    footprints: dict[str, usage.Footprint] = {}
    with granian(*http_api.SIDES[OURS]) as service:
        shop = data.fill(service.url)
        tables = [_requests(service.url, service.worker, shop, folder, seconds, servers)]
        footprints["API worker"] = usage.footprint(service.worker, servers)
    _collected()
    tables += [_relay(servers, footprints), *_consumers(servers, footprints)]
    return [*tables, _held(footprints)]


# --- requests -------------------------------------------------------------------------------------------------------


def _requests(url: str, worker: psutil.Process, shop: data.Shop, folder: Path, seconds: float, servers: Servers) -> str:
    token = httpx.post(f"{url}/auth/token", json=CUSTOMER).raise_for_status().json()["access"]
    signed = f"Authorization: Bearer {token}"
    generator = random.Random(3)
    orders = [json.dumps(data.order_body(shop, generator)).encode() for _ in range(ORDER_BODIES)]
    post = json.dumps({"post_type": "text", "text_content": "How much is this?"}).encode()
    kinds = {
        "GET /products/{id}": [("GET", f"/products/{one}", "", b"") for one in shop.product_ids],
        "GET /products?limit=20": [("GET", "/products?limit=20", "", b"")],
        "POST /posts": [("POST", "/posts", signed, post)],
        "POST /orders, 3 lines": [("POST", "/orders", signed, body) for body in orders],
        "GET /orders?limit=20 (own)": [("GET", "/orders?limit=20", signed, b"")],
    }
    rows = []
    processes = {"API": worker, "mongod": servers["mongod"]}
    for kind, requests in kinds.items():
        file = load.write_requests(folder / "requests.tsv", requests)
        load.run(url, file, 1)  # connections, and code that runs for the first time
        with usage.measured(processes) as used:
            done = load.run(url, file, seconds * (20 if "POST /orders" in kind else 1))
        rows.append(
            [kind, f"{done.requests:,}", *_figures(used.per_thousand(done.requests)), _kib(done.bytes_per_answer)]
        )
        print("costs", *rows[-1], flush=True)
    header = ["request", "measured", "CPU s per 1,000: API", "mongod", "bytes of an answer"]
    return f"Requests, one API worker:\n\n{as_markdown(header, rows)}"


# --- the relay ------------------------------------------------------------------------------------------------------


def _collected() -> None:
    """Print what waits: what the relay is about to be measured with."""
    print("costs", outbox().count_documents({}), "events wait in the outbox", flush=True)


def _relay(servers: Servers, footprints: dict[str, usage.Footprint]) -> str:
    bson, files = usage.mongodb_bytes(OUTBOX)
    orders = mongo.database()["orders"]
    waiting = outbox().count_documents({})
    order_bson, order_files = usage.mongodb_bytes("orders")
    before = usage.kafka_bytes(servers["Kafka"])
    with command("relay_events") as relay:
        first = _until(lambda: waiting - outbox().estimated_document_count())  # it has begun
        begun = time.perf_counter()
        with usage.measured({"relay": relay, **{role: servers[role] for role in ("mongod", "Kafka")}}) as used:
            _until(lambda: outbox().find_one({}, {"_id": 1}) is None)
        seconds, number = time.perf_counter() - begun, waiting - first
        footprints["relay"] = usage.footprint(relay, servers)
    written = usage.kafka_bytes(servers["Kafka"]) - before
    placed = orders.count_documents({})
    row = [f"{number:,}", *_figures(used.per_thousand(number)), f"{number / seconds:,.0f}"]
    print("costs relay", *row, flush=True)
    header = ["events", "CPU s per 1,000: relay", "mongod", "Kafka", "events a second"]
    sizes = [
        ["an order in MongoDB", _kib(order_bson / placed), _kib(order_files / placed)],
        ["an event in the outbox, until it is published", _kib(bson / waiting), _kib(files / waiting)],
        ["an event in Kafka, one copy", "", _kib(written / waiting)],
    ]
    return "\n\n".join(
        [
            f"The relay, {waiting:,} events of {placed:,} orders of three lines and their products:",
            as_markdown(header, [row]),
            "Bytes:",
            as_markdown(["what", "as it is", "on the disk, compressed, with indexes"], sizes),
        ]
    )


# --- consumers ------------------------------------------------------------------------------------------------------


def _consumers(servers: Servers, footprints: dict[str, usage.Footprint]) -> Iterator[str]:
    """Have 1, 2 and 3 consumers read everything, each time into tables that are new."""
    # The last record of each partition ends a transaction, and is none to store.
    target = sum(end - 1 for end in usage.ends().values())
    rows = []
    for number in CONSUMERS:
        name = f"{os.environ['DATABASE_NAME']}_{number}"
        with _new_tables(name):
            rows.append(_consume(name, number, target, servers, footprints))
            if number == 1:
                yield _sql_size()
        print("costs consumers", *rows[-1], flush=True)
    header = [
        "consumers",
        "events",
        "CPU s per 1,000: consumers",
        "SQL server",
        "Kafka",
        "events a second",
        "CPUs busy",
    ]
    yield f"Consumers, {os.cpu_count()} CPUs for them and all servers:\n\n{as_markdown(header, rows)}"


@contextmanager
def _new_tables(name: str) -> Iterator[None]:
    """Use a database of that name for the length of the block."""
    former, url = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = url.removesuffix(former) + name
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
    connection.close()
    connection.settings_dict["NAME"] = name
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
    connection.close()
    connection.settings_dict["NAME"] = former
    os.environ["DATABASE_URL"] = url


def _consume(
    group: str, number: int, target: int, servers: Servers, footprints: dict[str, usage.Footprint]
) -> list[str]:
    """Measure from the first offsets that are stored to the last."""
    with ExitStack() as stack:
        processes = {
            f"consumer {n}": stack.enter_context(command("consume_events", "--group", group)) for n in range(number)
        }
        first = _until(_stored)
        begun = time.perf_counter()
        with usage.measured(processes | {role: servers[role] for role in ("SQL server", "Kafka")}) as used:
            _until(lambda: _stored() >= target)
        seconds, events = time.perf_counter() - begun, target - first
        footprints["consumer"] = usage.footprint(processes["consumer 0"], servers)
    own = sum(value for role, value in used.items() if role.startswith("consumer"))
    by_role = usage.Usage(consumers=own, sql=used["SQL server"], kafka=used["Kafka"])
    busy = f"{sum(by_role.values()) / seconds:.1f}"
    return [str(number), f"{events:,}", *_figures(by_role.per_thousand(events)), f"{events / seconds:,.0f}", busy]


def _stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(SUM(next_offset), 0) FROM consumer_offsets")
        return int(cursor.fetchone()[0])


def _sql_size() -> str:
    """Tell how large an order is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM orders")
        orders = int(cursor.fetchone()[0])
    size = usage.sql_bytes("orders", "order_items") / orders
    return f"An order of three lines in SQL, its rows with all indexes: {_kib(size)}."


# --- tables ---------------------------------------------------------------------------------------------------------


def _until(reached: Callable[[], Any]) -> Any:
    """Return what is reached as soon as it is something. Raises RuntimeError when that takes too long."""
    deadline = time.monotonic() + MOST_SECONDS
    while not (found := reached()):
        if time.monotonic() > deadline:
            raise RuntimeError("the events do not arrive")
        time.sleep(LOOK_SECONDS)  # the servers have no event for it
    return found


def _held(footprints: Mapping[str, usage.Footprint]) -> str:
    rows = [
        [role, f"{one.resident:.0f} MiB", *(str(one.connections[server]) for server in usage.ROLES)]
        for role, one in footprints.items()
    ]
    return as_markdown(["process", "memory", *(f"connections to {role}" for role in usage.ROLES)], rows)


def _figures(values: Mapping[str, float]) -> list[str]:
    return [f"{value:.2f}" for value in values.values()]


def _kib(value: float) -> str:
    return f"{value / 1024:.1f} KiB"
