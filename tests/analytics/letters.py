"""Dead letters as the consumer leaves them, for tests of what people do about them."""

import itertools
from typing import Any

from analytics.models import DeadLetter
from tests.analytics.events import event, new_id, raw

_offsets = itertools.count()


def letter(
    value: bytes | None, key: bytes | None = b"k", topic: str = "user", error: str = "it was so", **more: Any
) -> DeadLetter:
    """Store a letter."""
    return DeadLetter.objects.create(
        cluster_id="c", topic=topic, partition=0, offset=next(_offsets), key=key, value=value, error=error, **more
    )


def good_letter(envelope: dict[str, Any] | None = None) -> DeadLetter:
    """Store the letter of an event that can be applied by now."""
    envelope = envelope or event("user.created", new_id())
    return letter(raw(envelope), envelope["entity_id"].encode(), envelope["event_type"].split(".")[0], "unknown event")


def bad_letter(**more: Any) -> DeadLetter:
    """Store a letter that no retry will mend, with what a terminal would obey."""
    return letter(b"\xff{\x1b[31m\n", **more)
