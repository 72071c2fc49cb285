"""The accounts behind callers: users and suppliers in MongoDB, staff in Django's own table.

Each kind is found by `settings.ACCOUNT_FINDERS`, by id and by email; nothing here needs SQL for users and suppliers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from marketplace.auth import staff
from marketplace.callers import Caller
from marketplace.errors import AccountStatusError, AuthenticationError
from marketplace.mongo import Readable

AccountKind = Literal["user", "supplier", "staff"]
ACCOUNT_KINDS: tuple[AccountKind, ...] = ("user", "supplier", "staff")


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in: the caller that it becomes, and a mark of its password that changes with it."""

    caller: Caller
    password_mark: str


def find(kind: str, identifier: str) -> Account:
    """Return an account that may act now.

    Raises AuthenticationError for one that is unknown, AccountStatusError for one that is deleted or suspended.
    """
    if kind == "staff":
        return _staff_account(staff.by_id(identifier))
    return _account(kind, _finder(kind, "by_id")(identifier))


def log_in(kind: str, email: str, password: str, request: HttpRequest) -> Account:
    """Return the account with this email and password.

    Raises AuthenticationError when there is none, after the same time as for a wrong password; AccountStatusError for
    a deleted account, told only to those who know its password.
    """
    if kind == "staff":
        return _staff_account(staff.log_in(email, password, request))
    stored = _finder(kind, "by_email")(email)
    # For an unknown account as for one without a password, Django's hasher works as long and says no.
    if not check_password(password, stored["password_hash"] if stored else make_password(None)):
        raise wrong_credentials()
    return _account(kind, stored)


def wrong_credentials() -> AuthenticationError:
    """Return the one error of all failed log-ins."""
    return AuthenticationError("Email or password is wrong")


def _finder(kind: str, by: str) -> Callable[[str], Readable | None]:
    found: Callable[[str], Readable | None] = import_string(settings.ACCOUNT_FINDERS[kind][by])
    return found


def _account(kind: Any, stored: Readable | None) -> Account:
    if stored is None:
        raise AuthenticationError("Unknown account")
    if stored.get("deleted_at") is not None:
        raise AccountStatusError
    return Account(Caller(kind, str(stored["_id"])), _mark(stored["password_hash"]))


def _staff_account(found: staff.StaffUser | None) -> Account:
    if found is None:
        raise wrong_credentials()
    if not found.is_active:
        raise AccountStatusError("The account is suspended")
    return Account(staff.caller(found), _mark(found.password))


def _mark(password_hash: str) -> str:
    """Return what refresh tokens remember of the password, so that a new password ends them."""
    return salted_hmac("marketplace.auth.password", password_hash, algorithm="sha256").hexdigest()[:32]
