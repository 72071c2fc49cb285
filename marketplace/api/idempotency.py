"""Idempotency-Key: a POST that is sent again answers what it answered first, and does nothing twice (SPEC section 2).

A key is claimed in MongoDB before anything else is done. The finished answer is written in the transaction of what was
created: both or neither, wherever the process dies. A claim whose process died is free once no work of it can still
run; should some be late all the same, it finds the key in other hands, and its transaction fails.
"""

import contextvars
import hashlib
import logging
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import cast

import orjson
import pymongo
from django.conf import settings
from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import mongo
from marketplace.api.viewsets import ResourceViewSet
from marketplace.callers import Caller
from marketplace.errors import AppError, StateConflictError, ValidationError, as_app_error, envelope
from marketplace.mongo import Stored
from marketplace.representation import to_json

logger = logging.getLogger("marketplace.idempotency")

HEADER = "Idempotency-Key"
COLLECTION = "idempotency_keys"
INDEX = IndexModel("expires_at", expireAfterSeconds=0)  # by which MongoDB removes old keys
KEPT = timedelta(hours=24)
# All database work of a request ends at its deadline; this is for aborting what is open then.
LOCK_MARGIN = timedelta(seconds=1)
RELEASE_SECONDS = 0.5
_PRINTABLE = re.compile(r"[ -~]{1,128}")
# Outcomes that are the request's own; others (a missing right, a server in trouble) may be different the next time.
_FINAL_REFUSALS = (status.HTTP_409_CONFLICT, status.HTTP_422_UNPROCESSABLE_ENTITY)


class StillRunningError(StateConflictError):
    message = "The first request with this Idempotency-Key is still running"
    retry_after_seconds = 1


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A finished answer: status, own headers, JSON body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds: the key's id in the collection, and who holds it."""

    id: str
    owner: str

    def keep(self, answer: KeptAnswer) -> None:
        """Store the answer of the key. Raises StillRunningError when the key is in other hands by now."""
        change = {"$set": {"state": "done", "answer": asdict(answer)}}
        if not _keys().update_one(self._held(), change).matched_count:
            raise StillRunningError

    def take_over(self, holder: str, locked_until: datetime) -> None:
        """Hold the key instead of a holder whose process must have died. Raises StillRunningError when it may live."""
        gone = {"_id": self.id, "owner": holder, "state": "running"}
        change = {"$set": {"owner": self.owner, "locked_until": _lock_end()}}
        if locked_until > mongo.now() or not _keys().update_one(gone, change).matched_count:
            raise StillRunningError

    def release(self) -> None:
        """Free the key, if MongoDB is there to do it; else it is free when its lock ends."""
        # Without the request's deadline, which may be over.
        contextvars.Context().run(self._release)

    def _release(self) -> None:
        try:
            with pymongo.timeout(RELEASE_SECONDS):
                _keys().delete_one(self._held())
        except PyMongoError as error:
            logger.warning("An idempotency key stays locked for a while: %s", error)

    def _held(self) -> Stored:
        return {"_id": self.id, "owner": self.owner, "state": "running"}


def reserve(caller: Caller, key: str, body: object) -> Claim | KeptAnswer:
    """Claim a key for the caller's request with this parsed body, or return what it was answered before.

    Raises ValidationError for a key that is malformed or was sent with another body, StillRunningError.
    """
    if not _PRINTABLE.fullmatch(key):
        raise ValidationError.of(HEADER, "Send 1 to 128 printable ASCII characters.")
    claim = Claim(_digest(f"{caller.pk}\0{key}".encode()), secrets.token_hex(16))
    fingerprint = _digest(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
    found = _insert_or_find(claim, fingerprint)
    if found["fingerprint"] != fingerprint:
        raise ValidationError.of(HEADER, "This key was sent with another body before.")
    if found["state"] == "done":
        return KeptAnswer(**found["answer"])
    if found["owner"] != claim.owner:
        claim.take_over(found["owner"], found["locked_until"])
    return claim


def _insert_or_find(claim: Claim, fingerprint: str) -> Stored:
    """Insert the key unless it is there, in one step, and return it as it is then."""
    new = {
        "fingerprint": fingerprint,
        "state": "running",
        "owner": claim.owner,
        "locked_until": _lock_end(),
        "expires_at": mongo.now() + KEPT,
    }
    found = _keys().find_one_and_update(
        {"_id": claim.id}, {"$setOnInsert": new}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return cast(Stored, found)  # never None, with upsert


def _lock_end() -> datetime:
    return mongo.now() + timedelta(milliseconds=settings.MONGODB_TIMEOUT_MS) + LOCK_MARGIN


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _keys() -> Collection[Stored]:
    return mongo.database()[COLLECTION]


class IdempotentCreateViewSet(ResourceViewSet):
    """A resource whose POST takes Idempotency-Key. Its `perform_create` gives `keep_answer` to the service."""

    is_idempotent = True
    claim: Claim | None = None

    def create(self, request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return super().create(request)
        reserved = reserve(self.caller, key, request.data)
        if isinstance(reserved, KeptAnswer):
            return self._replay(reserved)
        self.claim = reserved
        try:
            return super().create(request)
        except Exception as error:
            _settle(reserved, as_app_error(error))
            raise

    def keep_answer(self, stored: Stored) -> None:
        """Store the answer with what was created, in its transaction, before the commit."""
        if self.claim is not None:
            answer = self.created(stored)
            headers = {name: value for name, value in answer.items() if name != "Content-Type"}
            self.claim.keep(KeptAnswer(answer.status_code, headers, to_json(answer.data)))

    def _replay(self, kept: KeptAnswer) -> Response:
        as_json = self.request.accepted_renderer.format == "json"
        body = orjson.Fragment(kept.body) if as_json else orjson.loads(kept.body)
        return Response(body, status=kept.status, headers=kept.headers | {"Idempotent-Replayed": "true"})


def _settle(claim: Claim, error: AppError) -> None:
    """Store a refusal as the key's answer, or free the key when another try may go better."""
    if error.status in _FINAL_REFUSALS:
        claim.keep(KeptAnswer(error.status, error.headers, to_json(envelope(error.code, error.message, error.details))))
    else:
        claim.release()
