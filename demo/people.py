"""The demo's people: John, whose account is in the README, and the users who write posts and place orders.

Signing up goes on over the whole last year, so at any moment there are regulars and newcomers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bson import ObjectId
from django.core.management import CommandError

from demo.addresses import names, phone
from demo.generation import Item, demo_id, draw, missing, validated
from marketplace.callers import Caller
from marketplace.errors import DuplicateError
from users.serializers import UserCreateSerializer
from users.services import user_create

DEMO_PASSWORD = "password123"  # noqa: S105  # known to everybody on purpose
JOHN = {"email": "john@example.com", "display_name": "John Doe", "phone": "+1 555 0100", "bio": "Here for the demo."}
POPULATION = 500
SIGN_UP_PERIOD = timedelta(days=365)
# Below 1: more people sign up late than early.
SIGN_UP_CURVE = 0.6
BIOS = (
    "Coffee first.",
    "Weekend hiker, weekday spreadsheet person.",
    "Small flat, too many plants.",
    "I review what I buy, honestly.",
    "Parent of two, always looking for a bargain.",
    "Film photography and long train rides.",
    "Trying every hot sauce there is.",
    "Runner. Slow but steady.",
)


def john(until: datetime) -> Item:
    """Return the demo account, the first to sign up."""
    return _item(JOHN, DEMO_PASSWORD, until - SIGN_UP_PERIOD)


class People:
    """Gives people to act at a moment, and signs them up when they first do."""

    def __init__(self, seed: int, until: datetime) -> None:
        self._seed = seed
        self._until = until
        self._signed_up: set[ObjectId] = set()

    def somebody(self, random: Random, at: datetime, *, skew: float) -> Caller:
        """Return one who has signed up before `at`; the higher the skew, the more often one of the regulars.

        Raises CommandError when the email of a demo person belongs to another account.
        """
        elapsed = max((at - self._until + SIGN_UP_PERIOD) / SIGN_UP_PERIOD, 0)
        present = int(POPULATION * elapsed ** (1 / SIGN_UP_CURVE))
        person = self._person(int(present * random.random() ** skew))
        if person.key not in self._signed_up:
            self._sign_up(person)
        return Caller("user", str(person.key))

    def _person(self, number: int) -> Item:
        if number == 0:
            return john(self._until)
        joined = self._until - SIGN_UP_PERIOD * (1 - (number / POPULATION) ** SIGN_UP_CURVE)
        return _item(_profile(self._seed, number), None, joined)

    def _sign_up(self, person: Item) -> None:
        for new in missing([person]):
            try:
                new.make()
            except DuplicateError as error:
                raise CommandError(f"Another account has a demo user's email. {error}") from error
        self._signed_up.add(person.key)


def _profile(seed: int, number: int) -> dict[str, Any]:
    random = draw(seed, "person", number)
    first, last = names(random)
    return {
        "email": f"{first}.{last}{number}@example.com".lower(),
        "display_name": f"{first} {last}",
        "phone": phone(random) if random.random() < 0.7 else None,
        "bio": random.choice(BIOS) if random.random() < 0.5 else None,
    }


def _item(profile: dict[str, Any], password: str | None, joined: datetime) -> Item:
    new_id = demo_id("users", profile["email"])
    return Item("users", new_id, _maker(profile, password, joined, new_id))


def _maker(profile: dict[str, Any], password: str | None, joined: datetime, new_id: ObjectId) -> Callable[[], object]:
    def make() -> object:
        # The body's password is checked as a client's would be; most demo users get none.
        changes = validated(UserCreateSerializer, profile | {"password": DEMO_PASSWORD})
        del changes["password"]
        return user_create(changes=changes, password=password, at=joined, new_id=new_id)

    return make
