"""What can be done with posts: rules and transactions."""

from datetime import datetime
from typing import Any

from bson import ObjectId

from content.documents import Author, Post
from content.events import POST_CREATED, POST_DELETED, POST_PUBLISHED, POST_UPDATED
from marketplace import pages
from marketplace.callers import Caller
from marketplace.errors import StateConflictError
from marketplace.events.outbox import record
from marketplace.mongo import Stored, transaction
from marketplace.pages import Page, Window
from marketplace.policy import Expected, find_for_change
from users.services import user_identity


@transaction
def post_create(
    *,
    caller: Caller,
    changes: dict[str, Any],
    is_draft: bool = False,
    at: datetime | None = None,
    new_id: ObjectId | None = None,
) -> Stored:
    """Write a post in the calling user's name, published unless it is a draft."""
    post = Post(id=new_id, author=_author(caller.id))
    post.assign(changes)
    moment = post.next_moment(at)
    post.published_at = None if is_draft else moment
    return record(post, POST_CREATED, at=moment)


def _author(user_id: str) -> Author:
    profile = user_identity(user_id)["profile"]
    return Author(
        user_id=ObjectId(user_id),
        display_name=profile["display_name"],
        avatar=profile["avatar"],
    )


def post_list(*, window: Window, author_id: ObjectId | None = None) -> Page:
    """Return posts that are published and not deleted, newest published first."""
    query: dict[str, Any] = {"published_at": {"$ne": None}, "deleted_at": None}
    if author_id is not None:
        query["author.user_id"] = author_id
    return pages.read(Post, query, sort="-published_at", window=window)


@transaction
def post_update(*, caller: Caller, identifier: str, expected: Expected = None, changes: dict[str, Any]) -> Stored:
    """Change a post. Raises NotFoundError, AuthorizationError, VersionConflictError."""
    post = find_for_change(Post, identifier, caller, expected)
    post.assign(changes)
    return record(post, POST_UPDATED)


@transaction
def post_publish(*, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None) -> Stored:
    """Publish a draft. Raises StateConflictError when it is published already, and as `post_update`."""
    post = find_for_change(Post, identifier, caller, expected)
    if post.published_at is not None:
        raise StateConflictError("The post is published", details={"status": "published"})
    post.published_at = post.next_moment(at)
    return record(post, POST_PUBLISHED, at=post.published_at)


@transaction
def post_delete(*, caller: Caller, identifier: str, expected: Expected = None, at: datetime | None = None) -> None:
    """Delete a post softly. Raises as `post_update`."""
    post = find_for_change(Post, identifier, caller, expected)
    post.changed_at, post.deleted_at = post.updated_at, post.next_moment(at)
    record(post, POST_DELETED, at=post.deleted_at)
