"""Entities whose event the broker refuses: they rest, and are tried again now and then."""

import logging
import time
from collections import Counter
from dataclasses import dataclass

logger = logging.getLogger("marketplace.events.relay")


@dataclass
class Hold:
    """When an entity is tried again, and how often it has been."""

    topic: str
    until: float
    attempts: int


class Holds:
    """The entities that are held back, by key: `first_seconds` at first, doubled up to `longest_seconds`.

    More than `most_of_topic` entities hold back their whole topic.
    """

    def __init__(self, first_seconds: float, longest_seconds: float, most_of_topic: int) -> None:
        self._first = first_seconds
        self._longest = longest_seconds
        self._most_of_topic = most_of_topic
        self._holds: dict[str, Hold] = {}

    @property
    def keys(self) -> list[str]:
        """All entities that are held back."""
        return list(self._holds)

    @property
    def topics(self) -> list[str]:
        """The topics that are held back as a whole."""
        held = Counter(hold.topic for hold in self._holds.values())
        return [topic for topic, number in held.items() if number > self._most_of_topic]

    @property
    def due(self) -> str | None:
        """The one to try again next, if it is time."""
        key = min(self._holds, key=lambda key: self._holds[key].until, default=None)
        return key if key and self._holds[key].until <= time.monotonic() else None

    def hold(self, key: str, topic: str, reason: object) -> None:
        """Hold an entity back, longer than the last time."""
        attempts = self._holds[key].attempts + 1 if key in self._holds else 1
        seconds = min(self._first * 2 ** (attempts - 1), self._longest)
        self._holds[key] = Hold(topic, time.monotonic() + seconds, attempts)
        logger.error(
            "Kafka rejects an event of %s %s, its later ones wait; next try in %.0f s: %s", topic, key, seconds, reason
        )

    def release(self, key: str) -> None:
        """Hold an entity back no longer."""
        self._holds.pop(key, None)
