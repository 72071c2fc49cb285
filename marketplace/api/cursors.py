"""Cursors: a position in a list as text that clients hand back as it is, signed.

The signature covers the list and its filters, so a cursor works only where it came from. It is made with SECRET_KEY;
those of SECRET_KEY_FALLBACKS are taken, too. Cursors from before any other change of the key are refused.
"""

import base64
import functools
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from django.conf import settings
from django.utils.crypto import salted_hmac

from marketplace.errors import ValidationError
from marketplace.pages import Position

_MOMENT_BYTES = 8
_POSITION_BYTES = 20  # milliseconds since 1970, and an ObjectId
_SIGNATURE_BYTES = 16
# 36 bytes fill their 48 characters to the last bit: no other text stands for the same bytes.
LENGTH = 48
_ALPHABET = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH}}}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def encode(position: Position, scope: bytes, key: str) -> str:
    """Return the cursor for a position in the list that `scope` stands for, signed with the key."""
    moment = (position.moment - _EPOCH) // _MILLISECOND
    packed = moment.to_bytes(_MOMENT_BYTES, signed=True) + position.id.binary
    return base64.urlsafe_b64encode(packed + _signature(packed, scope, key)).decode()


def decode(cursor: str, scope: bytes) -> Position:
    """Return the position that `encode` was given. Raises ValidationError for a text that it did not give."""
    if not _ALPHABET.fullmatch(cursor):
        raise _refusal()
    content = base64.urlsafe_b64decode(cursor)
    packed, signature = content[:_POSITION_BYTES], content[_POSITION_BYTES:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(signature, _signature(packed, scope, key)) for key in keys):
        raise _refusal()
    moment = int.from_bytes(packed[:_MOMENT_BYTES], signed=True)
    return Position(_EPOCH + moment * _MILLISECOND, ObjectId(packed[_MOMENT_BYTES:]))


def _signature(packed: bytes, scope: bytes, key: str | bytes) -> bytes:
    """Return keyed BLAKE2 (RFC 7693), here a tenth of the time of HMAC: every list that is read makes one."""
    return hashlib.blake2b(packed + scope, key=_derived(key), digest_size=_SIGNATURE_BYTES).digest()


@functools.lru_cache(8)
def _derived(key: str | bytes) -> bytes:
    """Return a key for cursors only."""
    return salted_hmac("marketplace.api.cursors", b"", secret=key, algorithm="sha256").digest()


def _refusal() -> ValidationError:
    return ValidationError.of("cursor", "Not a cursor of this list with these filters.")
