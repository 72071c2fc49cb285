"""The demo's people: John, whose account is in the README, and the users who write posts and place orders.

Signing up goes on over the whole last year, so at any moment there are regulars and newcomers.
"""

import functools
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bson import ObjectId

from demo.addresses import names, phone
from demo.generation import Item, demo_id, draw, missing, validated
from marketplace import mongo
from marketplace.callers import Caller
from users.serializers import UserCreateSerializer
from users.services import user_create

DEMO_PASSWORD = "password123"  # noqa: S105  # known to everybody on purpose
JOHN = {"email": "john@example.com", "display_name": "John Doe", "phone": "+1 555 0100", "bio": "Here for the demo."}
EMAIL = "contact_info.primary_email"  # where users and suppliers have it
POPULATION = 350
SIGN_UP_PERIOD = timedelta(days=365)
# Below 1: more people sign up late than early.
SIGN_UP_CURVE = 0.6
# How often it is one of those who have just signed up, whoever the regulars are.
NEWCOMER_SHARE = 0.25
NEWCOMER_PERIOD = timedelta(days=9)
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
        self._ids: dict[str, ObjectId] = {}

    def somebody(self, random: Random, at: datetime, *, skew: float) -> Caller:
        """Return one who has signed up before `at`; the higher the skew, the more often one of the regulars."""
        present = self._present(at)
        number = int(present * random.random() ** skew)
        if random.random() < NEWCOMER_SHARE:
            number = random.randint(self._present(at - NEWCOMER_PERIOD), max(present - 1, 0))
        person = self._person(number)
        if person.key not in self._ids:
            self._ids[person.key] = _signed_up(person)
        return Caller("user", str(self._ids[person.key]))

    def _present(self, at: datetime) -> int:
        """Return how many have signed up by then."""
        elapsed = max((at - self._until + SIGN_UP_PERIOD) / SIGN_UP_PERIOD, 0)
        return int(POPULATION * elapsed ** (1 / SIGN_UP_CURVE))

    def _person(self, number: int) -> Item:
        if number == 0:
            return john(self._until)
        joined = self._until - SIGN_UP_PERIOD * (1 - (number / POPULATION) ** SIGN_UP_CURVE)
        return _item(_profile(self._seed, number), None, joined)


def _signed_up(person: Item) -> ObjectId:
    """Return the id of the account with the person's email, which is made if need be."""
    for new in missing([person]):
        new.make()
    (account_id,) = mongo.database()["users"].distinct("_id", {EMAIL: person.key})
    return ObjectId(account_id)


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
    return Item("users", profile["email"], functools.partial(_make, profile, password, joined), field=EMAIL)


def _make(profile: dict[str, Any], password: str | None, joined: datetime) -> None:
    # The body's password is checked as a client's would be; most demo users get none.
    changes = validated(UserCreateSerializer, profile | {"password": DEMO_PASSWORD})
    del changes["password"]
    user_create(changes=changes, password=password, at=joined, new_id=demo_id("users", profile["email"]))
