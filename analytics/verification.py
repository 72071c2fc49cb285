"""Compares the analytics tables with MongoDB while both are written; tells what is wrong from what is on its way.

A difference counts when it is still there, and the same on both sides, after the settle time: a document that was
written since, or a row that a consumer has reached meanwhile, is on its way and not judged.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction

from analytics.attempts import persist
from analytics.comparison import Content, Difference, Kind
from analytics.decoding import EntityDecoder
from analytics.mending import Position, mend, of, window

# Looked at again together: bounds the memory, whatever is wrong.
PORTION = 5000
NAMED = 5


@dataclass
class Findings:
    """What is wrong with one entity's tables, by kind: how many, and the first ids."""

    documents: int = 0
    rows: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    first: dict[Kind, list[str]] = field(default_factory=dict)
    mended: int = 0
    moving: int = 0

    @property
    def wrong(self) -> int:
        """How many entities are still shown wrongly."""
        return self.counts.total() - self.mended

    def add(self, difference: Difference) -> None:
        """Count one."""
        self.counts[difference.kind] += 1
        named = self.first.setdefault(difference.kind, [])
        if len(named) < NAMED:
            named.append(difference.entity_id)


Suspects = dict[str, tuple[Content | None, Content]]  # what must be, and what was found, by id


class Verification:
    """Goes through one entity's documents and tables.

    `progress` hears of the documents of each batch. Raises django.db's and PyMongo's exceptions.
    """

    def __init__(
        self,
        decoder: EntityDecoder,
        *,
        settle_seconds: float,
        repair: bool = False,
        batch_size: int = 500,
        progress: Callable[[int], object] = lambda _: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._decoder = decoder
        self._settle_seconds = settle_seconds
        self._repair = repair
        self._batch_size = batch_size
        self._progress = progress
        self._sleep = sleep
        self._suspects: Suspects = {}
        self._findings = Findings()

    def run(self) -> Findings:
        """Compare everything, and mend what is wrong if that is asked for."""
        position: Position | None = Position()
        while position is not None:
            position = self._look(position)
            if len(self._suspects) >= PORTION or position is None:
                self._judge()
        return self._findings

    def _look(self, position: Position) -> Position | None:
        found = window(self._decoder, position, self._batch_size)
        for difference in found.differences(self._decoder):
            self._suspects[difference.entity_id] = (difference.expected, difference.found)
        self._findings.documents += len(found.documents)
        self._findings.rows += len(found.rows)
        self._progress(len(found.documents))
        return found.end

    def _judge(self) -> None:
        """Look at the suspects again, after the settle time."""
        if not self._suspects:
            return
        self._sleep(self._settle_seconds)
        ids = sorted(self._suspects)
        for start in range(0, len(ids), self._batch_size):
            wrong = self._still_wrong(ids[start : start + self._batch_size])
            if wrong and self._repair:
                self._findings.mended += len(wrong) - self._mend(wrong)
        self._suspects = {}

    def _still_wrong(self, ids: list[str]) -> list[str]:
        wrong = []
        for difference in self._differences(ids):
            if (difference.expected, difference.found) == self._suspects[difference.entity_id]:
                self._findings.add(difference)
                wrong.append(difference.entity_id)
            else:
                self._findings.moving += 1
        return wrong

    def _differences(self, ids: list[str]) -> list[Difference]:
        return of(self._decoder, ids).differences(self._decoder)

    def _mend(self, ids: list[str]) -> int:
        """Mend these and return how many are still wrong. A document that was written since is on its way."""
        persist(transaction.atomic(lambda: mend(self._decoder, lambda: of(self._decoder, ids))))
        return sum(one.expected == self._suspects[one.entity_id][0] for one in self._differences(ids))
