"""What can be done with users: rules and transactions."""

from datetime import datetime
from typing import Any

from bson import ObjectId
from django.contrib.auth.hashers import make_password
from mongoengine import NotUniqueError

from marketplace import pages
from marketplace.callers import Caller
from marketplace.errors import DuplicateError, NotFoundError
from marketplace.events.outbox import record
from marketplace.mongo import Stored, object_id, transaction
from marketplace.pages import Page, Window
from marketplace.policy import Expected, find_for_change
from users.documents import User
from users.events import USER_CREATED, USER_DELETED, USER_UPDATED


def user_account(identifier: str) -> Stored | None:
    """Return what authentication asks of a user, a deleted one too."""
    return _account({"_id": object_id(identifier)})


def user_account_by_email(email: str) -> Stored | None:
    """Return what authentication asks of the user with this email, a deleted one too."""
    return _account({"contact_info.primary_email": email})


def _account(query: dict[str, Any]) -> Stored | None:
    return User.collection().find_one(query, {"deleted_at": 1, "password_hash": 1})


def user_identity(identifier: str) -> Stored:
    """Return contact and profile of a user who acts, for copies in posts and orders. Raises NotFoundError."""
    found = User.collection().find_one({"_id": object_id(identifier)}, {"contact_info": 1, "profile": 1})
    if found is None:
        raise NotFoundError("User not found")
    return found


def user_create(
    *, changes: dict[str, Any], password: str | None, at: datetime | None = None, new_id: ObjectId | None = None
) -> Stored:
    """Sign a user up. Without a password nobody can log in. Raises DuplicateError when the email is taken."""
    # Hashing is slow on purpose and must not run again when the transaction is retried.
    return _user_create(changes=changes | {"password_hash": make_password(password)}, at=at, new_id=new_id)


@transaction
def _user_create(*, changes: dict[str, Any], at: datetime | None, new_id: ObjectId | None) -> Stored:
    user = User(id=new_id)
    user.assign(changes)
    try:
        return record(user, USER_CREATED, at=at)
    except NotUniqueError as error:
        raise DuplicateError("This email is taken", details={"field": "email"}) from error


def user_list(*, window: Window) -> Page:
    """Return users that are not deleted, oldest first."""
    return pages.read(User, {"deleted_at": None}, sort="created_at", window=window)


@transaction
def user_update(*, caller: Caller, identifier: str, expected: Expected = None, changes: dict[str, Any]) -> Stored:
    """Change a user's data. Raises NotFoundError, AuthorizationError, VersionConflictError."""
    user = find_for_change(User, identifier, caller, expected)
    user.assign(changes)
    return record(user, USER_UPDATED)


@transaction
def user_delete(*, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None) -> None:
    """Delete a user softly; their email stays taken. Raises as `user_update`."""
    user = find_for_change(User, identifier, caller, expected)
    user.changed_at, user.deleted_at = user.updated_at, user.next_moment(at)
    record(user, USER_DELETED, at=user.deleted_at)
