"""What people do about dead letters: try a message again, or decide that it is not wanted. For command and admin.

Every letter is one transaction, which locks its row first: of two people at once, the second finds it settled. Each
attempt leaves a row in `dead_letter_actions`. Letters are never deleted here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from analytics import writer
from analytics.attempts import persist
from analytics.bookkeeping import DeadLetter, DeadLetterAction
from analytics.columns import BadMessage
from analytics.decoding import decode
from analytics.offsets import lock_topic
from analytics.outages import is_bad_value
from analytics.readable import raw_bytes

APPLIED: Final = "applied"
ALREADY_NEWER: Final = "already newer"
DISCARDED: Final = "discarded"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one letter; `is_done` tells whether it is in the state that was asked for."""

    letter_id: int
    outcome: str
    detail: str
    is_done: bool

    def __str__(self) -> str:
        return f"{self.outcome}: {self.detail}" if self.detail else self.outcome


def matching(
    *, state: str | None = None, topic: str | None = None, since: datetime | None = None, error: str | None = None
) -> "QuerySet[DeadLetter]":
    """Return the letters in a state, of a topic, that came at `since` or later and whose error contains a text."""
    wanted = {"state": state, "topic": topic, "created_at__gte": since, "error__icontains": error}
    return DeadLetter.objects.filter(**{name: value for name, value in wanted.items() if value is not None})


def retry(ids: Iterable[int], actor: str) -> Iterator[Outcome]:
    """Decode the raw bytes of open letters anew and apply them, and yield what came of each as soon as that is stored.

    An event that is older than what its tables show changes nothing and counts as done. One that fails again stays
    open. Raises django.db's exceptions when the database is away; letters that were yielded before stay as they are.
    """
    return (_settled(letter_id, lambda letter: _retried(letter, actor)) for letter_id in ids)


def discard(ids: Iterable[int], actor: str, reason: str) -> Iterator[Outcome]:
    """Close open letters without applying them, and yield what came of each. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("a reason is needed")
    return (_settled(letter_id, lambda letter: _discarded(letter, actor, reason.strip())) for letter_id in ids)


def _settled(letter_id: int, settle: Callable[[DeadLetter], Outcome]) -> Outcome:
    return persist(lambda: _settle(letter_id, settle))


def _settle(letter_id: int, settle: Callable[[DeadLetter], Outcome]) -> Outcome:
    """Run `settle` on a letter that is open, locked, in a transaction."""
    with transaction.atomic():
        letter = DeadLetter.objects.select_for_update().filter(pk=letter_id).first()
        if letter is None:
            return Outcome(letter_id, FAILED, "there is no such letter", is_done=False)
        return settle(letter)


def _retried(letter: DeadLetter, actor: str) -> Outcome:
    if letter.state != DeadLetter.OPEN:
        return _skipped(letter, DeadLetter.RETRIED)
    try:
        changed = _apply(letter)
    except BadMessage as error:
        return _recorded(letter, DeadLetterAction.RETRY, actor, FAILED, str(error))
    except DatabaseError as error:
        if not is_bad_value(error):
            raise
        return _recorded(letter, DeadLetterAction.RETRY, actor, FAILED, f"refused by the database: {error}")
    return _recorded(letter, DeadLetterAction.RETRY, actor, APPLIED if changed else ALREADY_NEWER, "")


def _apply(letter: DeadLetter) -> int:
    """Apply the letter's message in a savepoint. Return how many entities changed: 1, or 0 for an old event."""
    event = decode(letter.topic, raw_bytes(letter.key), raw_bytes(letter.value))
    with transaction.atomic():
        lock_topic(letter.topic)  # takes turns with consumers, and with a repair that reads documents meanwhile
        return writer.apply([event]).changed


def _discarded(letter: DeadLetter, actor: str, reason: str) -> Outcome:
    if letter.state != DeadLetter.OPEN:
        return _skipped(letter, DeadLetter.DISCARDED)
    return _recorded(letter, DeadLetterAction.DISCARD, actor, DISCARDED, reason)


def _skipped(letter: DeadLetter, wanted: str) -> Outcome:
    return Outcome(letter.pk, SKIPPED, f"is {letter.state} already", is_done=letter.state == wanted)


_STATES: Final = {
    APPLIED: DeadLetter.RETRIED,
    ALREADY_NEWER: DeadLetter.RETRIED,
    DISCARDED: DeadLetter.DISCARDED,
    FAILED: DeadLetter.OPEN,
}


def _recorded(letter: DeadLetter, action: str, actor: str, outcome: str, detail: str) -> Outcome:
    """Store the letter's new state and who brought it there."""
    DeadLetter.objects.filter(pk=letter.pk).update(state=_STATES[outcome])
    DeadLetterAction.objects.create(letter=letter, action=action, actor=actor, outcome=outcome, detail=detail)
    return Outcome(letter.pk, outcome, detail, is_done=outcome != FAILED)
