"""Waiting for what another process or a server does, which has no event to wait for here."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 60, what: str = "", *, every: float = 0.02) -> float:
    """Wait until the condition holds; return how long it took. Raises AssertionError that says what it waited for."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds:g} s: {what or condition}"
        time.sleep(every)
    return time.monotonic() - started
