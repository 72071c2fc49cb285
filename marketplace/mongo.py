"""MongoDB: the connection, the base document, and transactions. No rules of any domain."""

import contextvars
import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import mongoengine
import pymongo
from bson import ObjectId
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from mongoengine import DateTimeField, IntField
from mongoengine.connection import get_connection
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from marketplace.errors import UnavailableError
from marketplace.observability import mongodb

logger = logging.getLogger("marketplace.mongo")
P = ParamSpec("P")
R = TypeVar("R")
Stored = dict[str, Any]  # a document as MongoDB keeps it
Readable = Mapping[str, Any]  # the same, for reading only

MAX_VERSION = 2**31 - 1
# A transaction under contention is retried for this long, or until the deadline of a request; then it answers 503.
TRANSACTION_SECONDS = 10
ABORT_SECONDS = 0.5
# Options that PyMongo would put on every write of a bound session, where MongoDB refuses them.
_WRITE_CONCERN_OPTIONS = {"w", "wtimeoutms", "journal", "j"}


def connect(*, for_requests: bool = False) -> None:
    """Register the connection to MONGODB_URL, without opening it. Raises ImproperlyConfigured when it is not set.

    MONGODB_TIMEOUT_MS is how long to look for a primary; with `for_requests`, how long a single read takes at most,
    with its retry. Commands may wait for an answer: building an index takes as long as it takes.
    """
    if not settings.MONGODB_URL:
        raise ImproperlyConfigured("MONGODB_URL is not set.")
    # For a read: what is left of the first try, finding a primary, and the driver's second try.
    patience = settings.MONGODB_TIMEOUT_MS // (3 if for_requests else 1)
    mongoengine.disconnect()
    mongoengine.connect(
        db=settings.DATABASE_NAME,
        host=_without_write_concern(settings.MONGODB_URL),
        connect=False,
        tz_aware=True,
        appname="marketplace",
        serverSelectionTimeoutMS=patience,
        connectTimeoutMS=patience,
        socketTimeoutMS=patience if for_requests else None,
        uuidRepresentation="standard",
        event_listeners=mongodb.listeners(),
    )


def _without_write_concern(url: str) -> str:
    """Return the URL without write concern options: transactions here always commit with `majority`."""
    parts = urlsplit(url)
    options = [(k, v) for k, v in parse_qsl(parts.query) if k.lower() not in _WRITE_CONCERN_OPTIONS]
    return urlunsplit(parts._replace(query=urlencode(options)))


def client() -> "pymongo.MongoClient[Stored]":
    """Return the process's client. Raises ImproperlyConfigured when MONGODB_URL is not set."""
    try:
        found: pymongo.MongoClient[Stored] = get_connection()
    except mongoengine.ConnectionFailure as error:
        raise ImproperlyConfigured("MONGODB_URL is not set.") from error
    return found


def database() -> Database[Stored]:
    """Return the marketplace's database. Raises as `client`."""
    return client()[settings.DATABASE_NAME]


def deadline() -> AbstractContextManager[None]:
    """Return a block in which all database work together ends after MONGODB_TIMEOUT_MS."""
    return pymongo.timeout(settings.MONGODB_TIMEOUT_MS / 1000)


def now() -> datetime:
    """Return the time in UTC with the millisecond precision that MongoDB keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def object_id(value: object) -> ObjectId | None:
    """Return the ObjectId that a text stands for, or None if it stands for none."""
    return ObjectId(value) if isinstance(value, str) and ObjectId.is_valid(value) else None


class Document(mongoengine.Document):
    """Base of all stored documents: version and timestamps.

    Write through `marketplace.events.record`, which also announces the write; a transaction that writes a document
    without its event is refused. Fields of a newer version, which may run beside this one, are kept and not looked at.
    """

    meta: dict[str, Any] = {"abstract": True, "auto_create_index": False, "strict": False}

    pk: ObjectId  # MongoEngine's name for the id
    version = IntField(
        required=True, min_value=1, max_value=MAX_VERSION, default=1, help_text="Goes up by one with every change."
    )
    created_at = DateTimeField(required=True, help_text="When it was made.")
    updated_at = DateTimeField(required=True, help_text="When it was changed last.")

    @classmethod
    def collection(cls) -> Collection[Stored]:
        """Return the PyMongo collection, for reads that need no MongoEngine objects."""
        found: Collection[Stored] = cls._get_collection()
        return found

    @classmethod
    def from_stored(cls, stored: Stored) -> Self:
        """Return the MongoEngine object of a stored document."""
        document: Self = cls._from_son(stored)
        return document

    def assign(self, changes: dict[str, Any]) -> None:
        """Set values by their dotted path (`{"profile.bio": "x"}`)."""
        for path, value in changes.items():
            *parents, name = path.split(".")
            setattr(functools.reduce(getattr, parents, self), name, value)

    def next_moment(self, at: datetime | None = None) -> datetime:
        """Return the time of the next write: `at` or now, but always after the last."""
        return at or now() if self._created else later(at or now(), self.updated_at)

    def stamp(self, at: datetime | None = None) -> None:
        """Set version and timestamps for the next write."""
        self.updated_at = self.next_moment(at)
        if self._created:
            self.created_at = self.updated_at
        else:
            self.version += 1

    def write(self) -> Stored:
        """Insert (with a new id, if it has none) or update, guarded by the version that was read. Return it as stored.

        Raises mongoengine's NotUniqueError and SaveConditionError; RuntimeError outside a transaction.
        """
        return self._insert() if self._created else self._update()

    def save(self, *args: Any, **kwargs: Any) -> Self:
        """Save as MongoEngine does, but only in a transaction, which then expects the event of this write."""
        self._expect_event()
        saved: Self = super().save(*args, **kwargs)
        return saved

    def _expect_event(self) -> None:
        transaction_now().unannounced.add((self._meta["collection"], self.pk))

    def _insert(self) -> Stored:
        """Insert without MongoEngine's `save`, which would turn the document into BSON three times."""
        self.pk = self.pk or ObjectId()
        self._expect_event()
        self.validate()
        stored: Stored = self.to_mongo().to_dict()
        try:
            self.collection().insert_one(stored)
        except DuplicateKeyError as error:
            raise mongoengine.NotUniqueError(str(error)) from error
        return stored

    def _update(self) -> Stored:
        self.save(save_condition={"version": self.version - 1})
        stored: Stored = self.to_mongo().to_dict()
        return stored


class EmbeddedDocument(mongoengine.EmbeddedDocument):
    """Base of all that is stored inside a document. Fields of a newer version are kept and not looked at here, too."""

    meta: dict[str, Any] = {"abstract": True, "strict": False}


def later(moment: datetime, previous: datetime) -> datetime:
    """Return `moment`, or a millisecond after `previous` if that is later: order survives clocks that disagree."""
    return max(moment, previous + timedelta(milliseconds=1))


class Transaction:
    """What one attempt has collected: inserts to send before the commit, and writes that have no event yet."""

    def __init__(self) -> None:
        self.inserts: dict[str, list[Stored]] = {}
        self.unannounced: set[tuple[str, ObjectId]] = set()

    def insert_before_commit(self, collection: str, document: Stored) -> None:
        """Add a document that goes out with others of its collection in one command, before the commit."""
        self.inserts.setdefault(collection, []).append(document)

    def finish(self) -> None:
        """Send the collected inserts. Raises RuntimeError when a document was written without its event."""
        if self.unannounced:
            raise RuntimeError(f"written without a domain event: {self.unannounced}")
        for collection, documents in self.inserts.items():
            database()[collection].insert_many(documents, ordered=False)


_transaction: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


def transaction_now() -> Transaction:
    """Return the running transaction. Raises RuntimeError when there is none."""
    running = _transaction.get()
    if running is None:
        raise RuntimeError("documents are written inside mongo.transaction only")
    return running


def transaction(operation: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function whose reads and writes become one MongoDB transaction, joined when one is running already.

    The whole function runs again on a write conflict, so it does database work only. Snapshot reads, majority commit.
    Raises UnavailableError when no primary is reachable, and whatever the function raises (nothing is written then).
    """

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _transaction.get() is not None:
            return operation(*args, **kwargs)
        # CSOT's deadline covers all retries.
        with pymongo.timeout(TRANSACTION_SECONDS), client().start_session() as session, session.bind():
            return session.with_transaction(
                lambda session: _attempt_or_abort(session, functools.partial(operation, *args, **kwargs)),
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
            )

    return run


def _attempt_or_abort(session: ClientSession, operation: Callable[[], R]) -> R:
    """Run one attempt, and abort it when it fails.

    `with_transaction` does so, too, but not when the deadline is over: MongoDB would keep what the attempt has locked
    for a minute then, and everybody who wants to write the same documents would run into their own deadlines.
    """
    try:
        return _attempt(operation)
    except BaseException:
        contextvars.Context().run(_abort, session)  # a context without the deadline
        raise


def _abort(session: ClientSession) -> None:
    with pymongo.timeout(ABORT_SECONDS):
        session.abort_transaction()


def _attempt(operation: Callable[[], R]) -> R:
    """Run one attempt. PyMongo's errors come out as themselves, with the labels that `with_transaction` retries on."""
    running = Transaction()
    token = _transaction.set(running)
    try:
        result = operation()
        running.finish()
    except mongoengine.NotUniqueError:
        raise
    except mongoengine.OperationError as error:
        # MongoEngine wraps the driver's error in one without labels.
        if isinstance(error.__context__, PyMongoError):
            raise error.__context__ from None
        raise
    except ServerSelectionTimeoutError as error:
        # Labelled as transient, but the wait for a primary is over.
        raise UnavailableError from error
    finally:
        _transaction.reset(token)
    return result


def snapshot() -> ClientSession:
    """Return a session whose reads all see one moment of the database."""
    return client().start_session(snapshot=True)


def document_classes(base: type[Document] = Document) -> Iterator[type[Document]]:
    """Yield the document classes that have a collection of their own."""
    for document in base.__subclasses__():
        if not document._meta.get("abstract"):
            yield document
        yield from document_classes(document)
