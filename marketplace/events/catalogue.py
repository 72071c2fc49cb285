"""The event catalogue: what an event type is, and the register of all of them (SPEC section 4).

The types themselves stand in each domain app's `events.py`, with when they are sent. Consumers in other packages know
events only through this register.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TOPICS: Final = ("user", "supplier", "product", "order", "post")

CATALOGUE: dict[str, "EventType"] = {}


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of domain event.

    `name` is `<entity>.<what happened>`; `sent_when` says when it is sent, for people; `example` is what `data` may
    be, and nothing for deletions, whose `data` all look alike. Creating one registers it.
    Raises ValueError for a name whose entity has no topic, or one that is already registered.
    """

    name: str
    sent_when: str
    example: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.entity not in TOPICS or self.name in CATALOGUE:
            raise ValueError(f"event type {self.name!r} has no topic or exists already")
        CATALOGUE[self.name] = self

    @property
    def entity(self) -> str:
        """The entity's name, which is also the Kafka topic."""
        return self.name.partition(".")[0]

    @property
    def topic(self) -> str:
        """The Kafka topic: one per entity."""
        return self.entity

    @property
    def is_deletion(self) -> bool:
        """Whether `data` holds only the id and the time of the deletion."""
        return self.name.endswith(".deleted")
