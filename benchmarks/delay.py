"""From the API's answer to the visible row in SQL, at several rates: API, relay and consumer as processes.

The load is open: requests go out on a fixed schedule, whether those before have been answered or not.
"""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.management import call_command
from django.db import connection

from analytics.models import Post
from benchmarks import http_api
from benchmarks.data import Shop
from benchmarks.events import outbox
from benchmarks.memory import command
from benchmarks.report import OURS, as_markdown
from benchmarks.servers import granian

GROUP = "bench-delay"
RATES = (25, 50, 100, 200)
SECONDS = 10
WARM_UP_REQUESTS = 100
SENDERS = 16
LOOK_SECONDS = 0.002
LOST_SECONDS = 30
WANTED_RATE, WANTED_MS = 100, 100.0


@dataclass
class Delays:
    """Posts that were answered and are not visible yet, with the time of their answer; and the delays of the others."""

    waiting: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Take note of the posts that have become visible."""
        ids = list(self.waiting)
        found = list(Post.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else []
        now = time.perf_counter()
        self.seconds += [now - self.waiting.pop(post_id) for post_id in found]

    def milliseconds(self, share: float) -> float:
        """Return the delay that so many of all stay below."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def cells(self, rate: int) -> list[str]:
        """Return the row of the table."""
        p99 = self.milliseconds(0.99)
        figures = [f"{value:.0f} ms" for value in (self.milliseconds(0.5), p99, self.milliseconds(1))]
        if rate != WANTED_RATE:
            return [str(rate), *figures, "", ""]
        return [str(rate), *figures, f"p99 below {WANTED_MS:.0f} ms", "met" if p99 < WANTED_MS else "**not met**"]


def delay(shop: Shop) -> str:
    """Measure every rate in turn, and return the table as Markdown. Raises RuntimeError when a post never arrives."""
    outbox().delete_many({})
    # What earlier parts left in the topics is not part of this one.
    call_command("consume_events", "--once", "--group", GROUP)
    rows = []
    with (
        granian(*http_api.SIDES[OURS]) as service,
        command("relay_events"),
        command("consume_events", "--group", GROUP),
    ):
        _run(service.url, shop, RATES[0], WARM_UP_REQUESTS)
        for rate in RATES:
            rows.append(_run(service.url, shop, rate, rate * SECONDS).cells(rate))
            print("delay", *rows[-1], flush=True)
    header = ["writes a second", "p50", "p99", "longest", "wanted", ""]
    title = f"From the answer of `POST /posts` to the row in {connection.display_name}:"
    return f"{title}\n\n{as_markdown(header, rows)}"


def _run(url: str, shop: Shop, rate: int, number: int) -> Delays:
    """Send so many posts at a fixed rate, and wait until all of them are visible."""
    delays, local = Delays(), threading.local()
    begun = time.perf_counter()

    def send(position: int) -> None:
        time.sleep(max(0.0, begun + position / rate - time.perf_counter()))  # the schedule
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(urlsplit(url).netloc)
        post_id, answered = _post(local.connection, shop)
        delays.waiting[post_id] = answered

    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(send, position) for position in range(number)]
        deadline = begun + number / rate + LOST_SECONDS
        while len(delays.seconds) < number:
            delays.look()
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{len(delays.seconds)} of {number} posts have arrived in the tables")
            time.sleep(LOOK_SECONDS)  # the tables have no event to wait for
        for future in sent:
            future.result()
    return delays


def _post(connection: http.client.HTTPConnection, shop: Shop) -> tuple[str, float]:
    """Write a post; return its id and when the answer was there."""
    body = json.dumps({"post_type": "text", "text_content": "How long until this is in the tables?"})
    connection.request("POST", "/posts", body, {"Content-Type": "application/json", "X-User-ID": shop.user_id})
    answer = connection.getresponse()
    content = answer.read()
    answered = time.perf_counter()
    if answer.status != http.client.CREATED:
        raise RuntimeError(f"POST /posts: {answer.status} {content[:500]!r}")
    return json.loads(content)["id"], answered
