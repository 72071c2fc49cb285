"""Resident memory of the three processes: idle, under load, and over many events."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
from django.core.management import call_command

from analytics.models import Order
from benchmarks.events import order_events, outbox, stored_order
from benchmarks.report import as_markdown
from benchmarks.servers import ROOT

MIB = 1 << 20
GROUP = "bench-memory"
CHUNK = 1000
# So many events may be on their way at once: the embedded broker forgets what is not read in time.
IN_FLIGHT = 4000
SAMPLE_SECONDS = 0.25
STALL_SECONDS = 120
# More than this between the middle and the end, with everything warm, counts as growth.
STEADY_MIB = 8


@dataclass
class Memory:
    """Resident memory of one process in MiB: when idle, and sampled while it worked."""

    name: str
    limit: float
    idle: float
    samples: list[float] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.samples[len(self.samples) // 2]

    @property
    def end(self) -> float:
        return self.samples[-1]

    @property
    def peak(self) -> float:
        return max([self.idle, *self.samples])

    @property
    def meets(self) -> bool:
        """Whether it stayed below its limit and did not grow in the second half."""
        return self.peak < self.limit and self.end - self.middle < STEADY_MIB

    def cells(self) -> list[str]:
        """Return the row of the table."""
        figures = [f"{value:.0f} MiB" for value in (self.idle, self.middle, self.end, self.peak)]
        verdict = "met" if self.meets else "**not met**"
        return [self.name, *figures, f"below {self.limit:.0f} MiB, no growth", verdict]


def resident(process: psutil.Process) -> float:
    """Return the process's resident memory in MiB."""
    return float(process.memory_info().rss) / MIB


@contextmanager
def watching(process: psutil.Process, memory: Memory) -> Iterator[None]:
    """Sample a process for the length of the block."""
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            memory.samples.append(resident(process))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        done.set()
        sampler.join()


def pipeline(events: int) -> list[Memory]:
    """Send order events from the outbox through relay, broker and consumer, and watch the two processes."""
    outbox().delete_many({})
    # What earlier parts left in the topics is not part of this one.
    call_command("consume_events", "--once", "--group", GROUP)
    with command("relay_events") as relay, command("consume_events", "--group", GROUP) as consumer:
        stored = Order.objects.count()
        _feed(CHUNK, stored)
        time.sleep(1)  # both are idle now, with all connections made
        memories = [Memory("relay", 120, resident(relay)), Memory("consumer", 120, resident(consumer))]
        with watching(relay, memories[0]), watching(consumer, memories[1]):
            _feed(events, stored + CHUNK)
    return memories


def _feed(events: int, stored: int) -> None:
    """Put events into the outbox as fast as they arrive in the tables. Raises RuntimeError when they stop arriving."""
    new, fed, progress = order_events(stored_order(), events), 0, (0, time.monotonic())
    while (arrived := Order.objects.count() - stored) < events:
        if arrived > progress[0]:
            progress = arrived, time.monotonic()
        if time.monotonic() - progress[1] > STALL_SECONDS:
            raise RuntimeError(f"only {arrived} of {fed} events have arrived in the tables")
        if fed < events and fed - arrived < IN_FLIGHT:
            chunk = list(itertools.islice(new, CHUNK))
            outbox().insert_many(chunk)
            fed += len(chunk)
        else:
            time.sleep(0.05)  # the tables have no event to wait for
    sys.stderr.write(f"\rmemory: {arrived} of {events} events have passed\n")


@contextmanager
def command(*arguments: str) -> Iterator[psutil.Process]:
    """Run a management command of the project for the length of the block."""
    process = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def table(memories: list[Memory]) -> str:
    """Return the figures as a Markdown table."""
    return as_markdown(["process", "idle", "middle", "end", "highest", "wanted", ""], [one.cells() for one in memories])
