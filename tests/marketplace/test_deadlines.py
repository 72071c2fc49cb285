"""Transactions that run out of time leave nothing behind, no locks either."""

import time

import pymongo
import pytest
from django.conf import settings
from pymongo.errors import PyMongoError

from marketplace import mongo

SECONDS = 0.3


@mongo.transaction
def write_and_go_on_too_long() -> None:
    things = mongo.database()["things"]
    things.update_one({"_id": 1}, {"$set": {"by": "us"}})
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        things.find_one({"_id": 1})


def test_what_a_late_transaction_has_locked_is_free_at_once(mongodb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "ABORT_SECONDS", 10)  # on a machine that is busy with other tests
    mongo.database()["things"].insert_one({"_id": 1})
    with pytest.raises(PyMongoError), pymongo.timeout(SECONDS):
        write_and_go_on_too_long()

    # Another client: one of the same pool could get the same session, and end its transaction by the way.
    with pymongo.MongoClient(mongodb) as other, pymongo.timeout(20):
        things = other[settings.DATABASE_NAME]["things"]
        assert things.update_one({"_id": 1, "by": None}, {"$set": {"by": "them"}}).modified_count == 1
