"""Refresh tokens: opaque, kept as a hash in MongoDB, exchanged at each use.

A log-in starts a family, one document. Its token is `<family>.<secret>`; the document holds the hash of the secret that
is good now, so an exchange is one atomic update. A secret that is not the current one was exchanged before: somebody
has a copy, and the whole family goes (RFC 9700, section 4.14.2).
"""

import hashlib
import logging
import secrets
from datetime import timedelta

from pymongo import IndexModel
from pymongo.collection import Collection

from marketplace import mongo
from marketplace.auth import accounts
from marketplace.auth.accounts import Account
from marketplace.errors import AccountStatusError, AuthenticationError, TokenError
from marketplace.mongo import Stored

logger = logging.getLogger("marketplace.auth")

COLLECTION = "refresh_tokens"
INDEX = IndexModel("expires_at", expireAfterSeconds=0)  # by which MongoDB removes expired families
LIFETIME = timedelta(days=30)


def issue(account: Account) -> str:
    """Return the first token of a new family."""
    family, secret = secrets.token_urlsafe(16), _new_secret()
    _families().insert_one(
        {
            "_id": family,
            "secret": _digest(secret),
            "account": account.caller.kind,
            "account_id": account.caller.id,
            "password_mark": account.password_mark,
            "created_at": mongo.now(),
            "expires_at": mongo.now() + LIFETIME,
        }
    )
    return f"{family}.{secret}"


def rotate(token: str) -> tuple[Account, str]:
    """Exchange a token for the next of its family. Return its account and the new token.

    Raises TokenError for one that is malformed, expired or revoked, or whose account may not act any more.
    """
    family, secret = _split(token)
    current = {"_id": family, "secret": _digest(secret), "expires_at": {"$gt": mongo.now()}}
    found = _families().find_one(current)
    # Before the exchange: where accounts are out of reach, the token is not used up, and can be sent again.
    account = _account_of(found) if found else None
    new = _new_secret()
    change = {"$set": {"secret": _digest(new), "expires_at": mongo.now() + LIFETIME}}
    if account is None or not _families().update_one(current, change).matched_count:
        _revoke(family)
        raise TokenError
    return account, f"{family}.{new}"


def revoke(token: str) -> None:
    """End the token's family; a token that is not good any more ends nothing that is not ended already."""
    _revoke(_split(token)[0])


def _account_of(family: Stored) -> Account:
    try:
        account = accounts.find(family["account"], family["account_id"])
    except (AuthenticationError, AccountStatusError) as error:
        _revoke(family["_id"])
        raise TokenError from error
    if account.password_mark != family["password_mark"]:
        _revoke(family["_id"])
        raise TokenError
    return account


def _revoke(family: str) -> None:
    found = _families().find_one_and_delete({"_id": family})
    if found is not None:
        logger.info("Ended a log-in of %s %s", found["account"], found["account_id"])


def _families() -> Collection[Stored]:
    return mongo.database()[COLLECTION]


def _split(token: str) -> tuple[str, str]:
    family, _, secret = token.partition(".")
    return family, secret


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    """Return what is stored of a secret. It is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
