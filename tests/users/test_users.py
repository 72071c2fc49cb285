"""What users can do, and what of them is seen (SPEC section 3)."""

import json
import logging

import pytest
from django.contrib.auth.hashers import check_password

from marketplace import mongo
from tests.api import ANYONE, USER, Api, answered, events_of, new_user, nothing_written, stored
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")


def test_a_new_user_has_defaults() -> None:
    user = ANYONE.post(
        "/users", {"email": " Ada@Example.COM ", "password": " secret pass ", "display_name": "A"}, status=201
    )
    assert user["contact_info"] == {"primary_email": "ada@example.com", "additional_emails": [], "phone": None}
    assert user["profile"] == {
        "display_name": "A",
        "avatar": "https://cdn.example.com/avatars/default.jpg",
        "bio": None,
        "date_of_birth": None,
    }
    assert (user["version"], user["deleted_at"]) == (1, None)
    assert user["created_at"] == user["updated_at"]
    assert set(user) == {"id", "contact_info", "profile", "deleted_at", "version", "created_at", "updated_at"}


def test_the_password_is_hashed_as_it_was_sent() -> None:
    new_user(password="  spaces count ")
    [kept] = stored()["users"]
    assert check_password("  spaces count ", kept["password_hash"])
    assert not check_password("spaces count", kept["password_hash"])
    assert "spaces count" not in kept["password_hash"]


def test_the_project_hashes_with_argon2(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    new_user()
    assert stored()["users"][0]["password_hash"].startswith("argon2$argon2id$")


def test_secrets_leave_the_process_nowhere(staff: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an answer, an event, a log line or an error."""
    caplog.set_level(logging.DEBUG)
    password = "a very secret word"
    user = new_user(email="known@example.com", password=password)
    path = f"/users/{user.id}"
    answers = [
        user("GET", path),
        user("PATCH", path, {"password": password, "password_hash": "x", "bio": "b"}),
        staff("GET", "/users"),
        ANYONE("POST", "/users", USER | {"email": "known@example.com", "password": password}),
        ANYONE("POST", "/users", {"password": password}),
        ANYONE("POST", "/users", {"password": password + "\0"}),
        staff("GET", path, Accept="text/html"),
    ]
    [kept] = stored()["users"]
    assert kept["version"] == 2
    said = b"".join([*(one.content for one in answers), *(one["payload"] for one in stored()["outbox"])]).decode()
    for secret in (password, kept["password_hash"], "password_hash"):
        assert secret not in said
        assert secret not in "".join(record.getMessage() + str(record.exc_info) for record in caplog.records)


def test_an_email_is_taken_once_in_whatever_case() -> None:
    new_user(email="ada@example.com")
    with nothing_written():
        error = ANYONE.post("/users", USER | {"email": " ADA@example.com"}, status=409)
    assert error["code"] == "DUPLICATE_RESOURCE"


def test_the_email_of_a_deleted_user_stays_taken() -> None:
    user = new_user(email="ada@example.com")
    user.delete(f"/users/{user.id}")
    with nothing_written():
        assert ANYONE.post("/users", USER | {"email": "ada@example.com"}, status=409)["code"] == "DUPLICATE_RESOURCE"


def test_of_two_sign_ups_at_once_one_wins() -> None:
    # A client per thread: it keeps the cookies of its last answer.
    statuses = at_once(6, lambda _: Api()("POST", "/users", USER).status_code)
    assert sorted(statuses) == [201] + [409] * 5
    assert {name: len(found) for name, found in stored().items() if found} == {"users": 1, "outbox": 1}


def test_a_deleted_user_is_gone_for_everybody(staff: Api) -> None:
    user, other = new_user(), new_user()
    user.delete(f"/users/{user.id}")
    assert staff("GET", f"/users/{user.id}").status_code == 404
    for method in ("PATCH", "DELETE"):
        assert answered(staff(method, f"/users/{user.id}", {}), 404)["code"] == "RESOURCE_NOT_FOUND"
    assert [one["id"] for one in staff.get("/users")] == [other.id]
    kept = mongo.database().users.find_one({"deleted_at": {"$ne": None}})
    assert (str(kept["_id"]), kept["deleted_at"], kept["version"]) == (user.id, kept["updated_at"], 2)


def test_what_happens_to_a_user_is_announced() -> None:
    user = new_user()
    path = f"/users/{user.id}"
    seen = [user.get(path), user.patch(path, {"bio": "new"})]
    user.delete(path)
    created, updated, deleted = events_of(user.id)
    assert [one["event_type"] for one in (created, updated, deleted)] == [
        "user.created",
        "user.updated",
        "user.deleted",
    ]
    assert [created["data"], updated["data"]] == seen
    assert deleted["data"] == {"user_id": user.id, "deleted_at": deleted["timestamp"]}
    assert json.dumps(deleted).count(user.id) == 2
