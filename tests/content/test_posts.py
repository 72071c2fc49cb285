"""What can be done with posts: drafts, lists, deletion, events (SPEC section 3)."""

import pytest

from marketplace import mongo
from tests.api import (
    ANYONE,
    NOBODY,
    POST,
    Api,
    answered,
    events_of,
    new_post,
    new_supplier,
    new_user,
    nothing_written,
)

pytestmark = pytest.mark.usefixtures("api")


def listed(caller: Api, query: str = "") -> list[str]:
    return [one["id"] for one in caller.get(f"/posts{query}")]


def test_a_new_post_is_published_with_defaults() -> None:
    user = new_user()
    made = user.post("/posts", {"post_type": "text", "text_content": " Hi "}, status=201)
    assert made["created_at"] == made["updated_at"] == made["published_at"]
    assert {name: made[name] for name in ("text_content", "media", "link_preview", "deleted_at", "version")} == {
        "text_content": "Hi",
        "media": [],
        "link_preview": None,
        "deleted_at": None,
        "version": 1,
    }
    assert made["author"] == {
        "user_id": user.id,
        "display_name": "Ada",
        "avatar": "https://cdn.example.com/avatars/default.jpg",
        "author_type": "user",
    }
    counts = dict.fromkeys(("view_count", "like_count", "comment_count", "share_count", "save_count"), 0)
    assert made["stats"] == counts | {"engagement_rate": 0.0, "last_comment_at": None}


def test_everything_that_was_sent_is_shown() -> None:
    made = new_post(new_user())
    assert {name: made[name] for name in POST} == POST


def test_the_author_is_a_copy() -> None:
    user = new_user()
    old = new_post(user)
    user.patch(f"/users/{user.id}", {"display_name": "Countess", "avatar": "https://example.com/a.jpg"})
    assert user.get(f"/posts/{old['id']}")["author"] == old["author"]
    new = new_post(user)["author"]
    assert (new["display_name"], new["avatar"]) == ("Countess", "https://example.com/a.jpg")


def test_a_draft_is_published_once() -> None:
    user = new_user()
    draft = new_post(user, is_draft=True)
    assert draft["published_at"] is None
    path = f"/posts/{draft['id']}"
    published = user.post(f"{path}/publish")
    assert published["published_at"] == published["updated_at"] > draft["updated_at"]
    with nothing_written():
        assert user.post(f"{path}/publish", status=409)["code"] == "STATE_CONFLICT"


def test_lists_show_published_posts_newest_published_first(staff: Api) -> None:
    user, other = new_user(), new_user()
    draft = new_post(user, is_draft=True)["id"]
    first = new_post(user)["id"]
    theirs = new_post(other)["id"]
    hidden = new_post(user, is_draft=True)["id"]
    gone = new_post(user)["id"]
    user.delete(f"/posts/{gone}")
    user.post(f"/posts/{draft}/publish")
    for caller in (ANYONE, user, other, new_supplier(), staff):
        assert listed(caller) == [draft, theirs, first]
        assert listed(caller, f"?author_id={user.id}") == [draft, first]
        assert listed(caller, f"?author_id={other.id}&skip=1") == []
        assert listed(caller, f"?author_id={NOBODY}") == []
    assert user.get(f"/posts/{hidden}")["published_at"] is None


def test_a_deleted_post_is_gone_for_everybody(staff: Api) -> None:
    user = new_user()
    for draft in (True, False):
        post = new_post(user, is_draft=draft)
        path = f"/posts/{post['id']}"
        user.delete(path)
        with nothing_written():
            for caller in (user, staff):
                for method in ("GET", "PATCH", "DELETE"):
                    assert answered(caller(method, path), 404)["code"] == "RESOURCE_NOT_FOUND"
                assert answered(caller("POST", f"{path}/publish"), 404)
        last = events_of(post["id"])[-1]
        assert (last["event_type"], last["version"]) == ("post.deleted", 2)
        assert last["data"] == {"post_id": post["id"], "deleted_at": last["timestamp"]}
    assert mongo.database().posts.count_documents({"deleted_at": {"$ne": None}}) == 2


def test_an_update_replaces_lists_and_objects_whole() -> None:
    user = new_user()
    path = f"/posts/{new_post(user)['id']}"
    user.patch(path, {"media": [], "link_preview": {"url": "https://example.com/b", "title": "B"}, "post_type": "poll"})
    shown = user.get(path)
    assert (shown["media"], shown["post_type"]) == ([], "image")
    assert shown["link_preview"] == {
        "url": "https://example.com/b",
        "title": "B",
        "description": None,
        "image": None,
        "site_name": None,
    }
    user.patch(path, {"link_preview": None})
    assert user.get(path)["link_preview"] is None
    assert user.get(path)["published_at"] == shown["published_at"]


def test_what_happens_to_a_post_is_announced_as_its_author_sees_it() -> None:
    user = new_user()
    draft = new_post(user, is_draft=True)
    path = f"/posts/{draft['id']}"
    seen = [draft, user.patch(path, {"text_content": "b"}), user.post(f"{path}/publish")]
    found = events_of(draft["id"])
    assert [one["event_type"] for one in found] == ["post.created", "post.updated", "post.published"]
    assert [one["data"] for one in found] == seen
