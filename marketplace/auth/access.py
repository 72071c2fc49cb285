"""Access tokens: short-lived JWTs (RFC 9068) that name the caller; any API process verifies them by itself."""

import functools
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import jwt
from django.conf import settings

from marketplace.auth.accounts import ACCOUNT_KINDS
from marketplace.callers import Caller
from marketplace.errors import AuthenticationError

ALGORITHM = "HS256"
TYPE = "at+jwt"
LIFETIME = timedelta(minutes=15)
CLOCK_SKEW = timedelta(seconds=10)  # between the hosts that sign and verify (RFC 7519, section 4.1.4)
CLAIMS = ["iss", "aud", "sub", "account", "iat", "exp", "jti"]


class Subject(NamedTuple):
    """Whom a token names."""

    kind: str
    identifier: str


@functools.cache
def key_id(key: str) -> str:
    """Return a key's `kid`: the start of its SHA-256, so that a key and its name cannot be mixed up."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def issue(caller: Caller) -> str:
    """Return a new token for the caller, signed with JWT_SIGNING_KEY."""
    now = datetime.now(UTC)
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": caller.id,
        "account": caller.kind,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": uuid.uuid4().hex,
    }
    key = settings.JWT_SIGNING_KEY
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key), "typ": TYPE})


def verify(token: str) -> Subject:
    """Return whom the token names. Raises AuthenticationError for one that we did not sign, or that has expired."""
    try:
        key = _key_of(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=settings.JWT_AUDIENCE,
            issuer=settings.JWT_ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": CLAIMS},
        )
    except jwt.ExpiredSignatureError as error:
        raise AuthenticationError("The access token has expired") from error
    except jwt.InvalidTokenError as error:
        raise _invalid() from error
    if claims["account"] not in ACCOUNT_KINDS:
        raise _invalid()
    return Subject(claims["account"], claims["sub"])


def _key_of(token: str) -> str:
    """Return the key that a token says it is signed with. Raises jwt.InvalidTokenError for an unknown one."""
    header = jwt.get_unverified_header(token)
    for key in (settings.JWT_SIGNING_KEY, *settings.JWT_VERIFICATION_KEYS):
        if header.get("kid") == key_id(key) and header.get("typ") == TYPE:
            return str(key)
    raise jwt.InvalidTokenError("unknown key or type")


def _invalid() -> AuthenticationError:
    return AuthenticationError("The access token is not valid")
