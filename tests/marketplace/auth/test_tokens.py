"""Logging in, staying logged in, logging out. Without the `db` fixture a test fails when it touches SQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import AbstractUser
from django.db import OperationalError, connection

from marketplace import mongo
from marketplace.auth import refresh
from tests.api import ANYONE, PRODUCT, USER, Api, Json, answered, refused_fields
from tests.marketplace.auth.conftest import PASSWORD, bearer, log_in
from users.services import user_create


def refreshed(tokens: Json) -> Json:
    return ANYONE.post("/auth/refresh", {"refresh": tokens["refresh"]})


def refuses(tokens: Json) -> bool:
    """Whether a refresh token is not good any more."""
    response = ANYONE("POST", "/auth/refresh", {"refresh": tokens["refresh"]})
    if response.status_code == 200:
        return False
    assert answered(response, 400)["code"] == "INVALID_TOKEN"
    return True


def test_a_user_logs_in(user: Json) -> None:
    tokens = log_in(user["email"])
    assert set(tokens) == {"access", "refresh", "expires_in", "token_type"}
    assert (tokens["expires_in"], tokens["token_type"]) == (900, "Bearer")
    caller = bearer(tokens)
    assert caller.get(f"/users/{user['id']}")["id"] == user["id"]
    assert caller.patch(f"/users/{user['id']}", {"bio": "mine"})["profile"]["bio"] == "mine"
    assert ANYONE.post("/auth/token", {"email": user["email"], "password": PASSWORD, "account": None})


def test_a_supplier_logs_in(supplier: Json) -> None:
    caller = bearer(log_in(supplier["email"], "supplier"))
    assert caller.post("/products", PRODUCT, status=201)["supplier_id"] == supplier["id"]
    assert caller.get(f"/suppliers/{supplier['id']}")["banking_info"] is not None


def test_staff_log_in(boss: AbstractUser, user: Json) -> None:
    tokens = log_in("Boss@Example.com", "staff")
    assert bearer(tokens).get("/users")[0]["id"] == user["id"]
    assert bearer(refreshed(tokens)).get(f"/users/{user['id']}")


def test_email_is_normalized(user: Json) -> None:
    assert log_in(f" {user['email'].upper()} ")


@pytest.mark.parametrize("account", ["user", "supplier", "staff"])
def test_wrong_credentials_all_look_the_same(user: Json, supplier: Json, boss: AbstractUser, account: str) -> None:
    emails = {"user": user["email"], "supplier": supplier["email"], "staff": boss.email}
    tries = [(emails[account], "wrong horse"), ("nobody@example.com", PASSWORD)]
    tries += [(email, PASSWORD) for kind, email in emails.items() if kind != account]
    for email, password in tries:
        response = ANYONE("POST", "/auth/token", {"email": email, "password": password, "account": account})
        assert answered(response, 401) == {"code": "AUTHENTICATION_FAILED", "message": "Email or password is wrong"}
        assert response["WWW-Authenticate"] == "Bearer"


def test_an_email_that_two_staff_accounts_share_names_none(boss: AbstractUser, django_user_model: Any) -> None:
    django_user_model.objects.create_user("other", boss.email, "another password", is_staff=True)
    body = {"email": boss.email, "password": PASSWORD, "account": "staff"}
    ANYONE.post("/auth/token", body, status=401)


def test_a_clerk_without_staff_rights_is_no_staff(mongodb: str, db: None, django_user_model: Any) -> None:
    django_user_model.objects.create_user("clerk", "clerk@example.com", PASSWORD)
    ANYONE.post("/auth/token", {"email": "clerk@example.com", "password": PASSWORD, "account": "staff"}, status=401)


class CountingHasher(PBKDF2PasswordHasher):
    """Counts how often it hashes."""

    iterations = 1
    count = 0

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        CountingHasher.count += 1
        return super().encode(password, salt, iterations)


@pytest.fixture
def hashes(settings: Any) -> None:
    """Passwords are hashed by the hasher that counts."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]


@pytest.mark.parametrize("account", ["user", "supplier", "staff"])
def test_an_unknown_account_costs_as_much(
    hashes: None, user: Json, supplier: Json, boss: AbstractUser, account: str
) -> None:
    """Counted, not timed: hashing is all that takes long."""
    emails = {"user": user["email"], "supplier": supplier["email"], "staff": boss.email}
    counts = []
    for tried in (emails[account], "nobody@example.com"):
        CountingHasher.count = 0
        ANYONE.post("/auth/token", {"email": tried, "password": "wrong", "account": account}, status=401)
        counts.append(CountingHasher.count)
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "a@example.com"}, "password"),
        ({"email": "a@example.com", "password": ""}, "password"),
        ({"email": "a@example.com", "password": 12345678}, "password"),
        ({"email": "a@example.com", "password": "x" * 129}, "password"),
        ({"email": "a@example.com", "password": {"$ne": ""}}, "password"),
        ({"email": {"$gt": ""}, "password": "x"}, "email"),
        ({"email": "nobody", "password": "x"}, "email"),
        ({"email": "a@example.com", "password": "x", "account": "admin"}, "account"),
        ({"email": "a@example.com", "password": "x", "account": ["user"]}, "account"),
    ],
)
def test_log_in_refuses(mongodb: str, body: Json, field: str) -> None:
    assert field in refused_fields(ANYONE.post("/auth/token", body, status=422))


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/revoke"])
@pytest.mark.parametrize("value", [None, "", 5, {"$ne": ""}, ["x"], "x" * 201])
def test_refresh_and_revoke_refuse(mongodb: str, path: str, value: Json) -> None:
    assert "refresh" in refused_fields(ANYONE.post(path, {"refresh": value}, status=422))


# --- Refresh tokens ---


def test_a_refresh_token_is_exchanged(user: Json) -> None:
    first = log_in(user["email"])
    second = refreshed(first)
    assert set(second) == set(first)
    assert second["refresh"] != first["refresh"]
    assert bearer(second).get(f"/users/{user['id']}")
    third = refreshed(second)
    assert bearer(third).get(f"/users/{user['id']}")


def test_used_twice_it_ends_its_family(user: Json) -> None:
    first, other = log_in(user["email"]), log_in(user["email"])
    second = refreshed(first)
    assert refuses(first)
    assert refuses(second)
    assert not refuses(other)


def test_used_twice_at_once_it_ends_its_family(user: Json) -> None:
    first = log_in(user["email"])
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: Api()("POST", "/auth/refresh", {"refresh": first["refresh"]}), range(8)))
    good = [response.json() for response in responses if response.status_code == 200]
    assert len(good) <= 1
    assert all(refuses(tokens) for tokens in good)
    assert mongo.database()[refresh.COLLECTION].count_documents({}) == 0


def test_a_token_is_not_used_up_while_accounts_are_out_of_reach(boss: AbstractUser) -> None:
    """Else the client, which sends it again as after every 503, would be taken for a thief."""

    def gone(*_: Any) -> None:
        raise OperationalError(2003, "Can't connect to MySQL server")

    tokens = log_in(boss.email, "staff")
    with connection.execute_wrapper(gone):
        ANYONE.post("/auth/refresh", {"refresh": tokens["refresh"]}, status=503)
    assert bearer(refreshed(tokens)).get("/users") == []


@pytest.mark.parametrize("token", ["x", ".", "a.b", "a.b.c", "../..", "x" * 200, "é"])
def test_nonsense_is_no_token(user: Json, token: str) -> None:
    log_in(user["email"])
    assert ANYONE.post("/auth/refresh", {"refresh": token}, status=400)["code"] == "INVALID_TOKEN"
    assert mongo.database()[refresh.COLLECTION].count_documents({}) == 1


def test_an_expired_token_is_refused(user: Json) -> None:
    """MongoDB removes it within a minute; until then we look at its time."""
    tokens = log_in(user["email"])
    past = mongo.now() - timedelta(seconds=1)
    mongo.database()[refresh.COLLECTION].update_one({}, {"$set": {"expires_at": past}})
    assert refuses(tokens)


def test_a_token_is_good_for_30_days(user: Json) -> None:
    refreshed(log_in(user["email"]))
    stored = mongo.database()[refresh.COLLECTION].find_one()
    assert timedelta(days=30) - timedelta(minutes=1) < stored["expires_at"] - mongo.now() <= timedelta(days=30)
    indexes = mongo.database()[refresh.COLLECTION].index_information().values()
    assert [("expires_at", 1)] in [index["key"] for index in indexes if index.get("expireAfterSeconds") == 0]


def test_nothing_stored_can_be_used(user: Json) -> None:
    tokens = log_in(user["email"])
    stored = str(mongo.database()[refresh.COLLECTION].find_one())
    assert tokens["refresh"] not in stored
    assert tokens["refresh"].partition(".")[2] not in stored
    assert tokens["access"] not in stored


def test_logging_out(user: Json) -> None:
    tokens, other = log_in(user["email"]), log_in(user["email"])
    for _ in range(2):
        assert answered(ANYONE("POST", "/auth/revoke", {"refresh": tokens["refresh"]}), 204) is None
    assert refuses(tokens)
    assert not refuses(other)
    assert answered(ANYONE("POST", "/auth/revoke", {"refresh": "nonsense"}), 204) is None


# --- Accounts that end ---


def test_a_deleted_user_is_out_at_once(user: Json) -> None:
    tokens = log_in(user["email"])
    caller = bearer(tokens)
    caller.delete(f"/users/{user['id']}")
    for method, path in (("GET", "/products"), ("POST", "/posts"), ("GET", f"/users/{user['id']}")):
        assert answered(caller(method, path), 403)["code"] == "ACCOUNT_STATUS_ERROR"
    assert refuses(tokens)
    body = {"email": user["email"], "password": PASSWORD}
    assert ANYONE.post("/auth/token", body, status=403)["code"] == "ACCOUNT_STATUS_ERROR"
    # Only who knows the password hears that there was such an account.
    assert ANYONE.post("/auth/token", body | {"password": "wrong"}, status=401)["code"] == "AUTHENTICATION_FAILED"


def test_a_removed_supplier_is_out_at_once(supplier: Json) -> None:
    tokens = log_in(supplier["email"], "supplier")
    caller = bearer(tokens)
    caller.delete(f"/suppliers/{supplier['id']}")
    assert answered(caller("GET", "/products"), 401)["code"] == "AUTHENTICATION_FAILED"
    assert refuses(tokens)
    body = {"email": supplier["email"], "password": PASSWORD, "account": "supplier"}
    assert ANYONE.post("/auth/token", body, status=401)


def test_suspended_staff_are_out_at_once(boss: AbstractUser) -> None:
    tokens = log_in(boss.email, "staff")
    boss.is_active = False
    boss.save()
    assert answered(bearer(tokens)("GET", "/users"), 403)["code"] == "ACCOUNT_STATUS_ERROR"
    assert refuses(tokens)
    ANYONE.post("/auth/token", {"email": boss.email, "password": PASSWORD, "account": "staff"}, status=401)


def test_staff_without_rights_are_out_at_once(boss: AbstractUser) -> None:
    tokens = log_in(boss.email, "staff")
    boss.is_staff = False
    boss.save()
    assert answered(bearer(tokens)("GET", "/users"), 401)
    assert refuses(tokens)


def test_a_new_password_ends_refresh_tokens(boss: AbstractUser) -> None:
    tokens = log_in(boss.email, "staff")
    boss.set_password("another password")
    boss.save()
    assert refuses(tokens)
    assert log_in(boss.email, "staff", "another password")


def test_a_user_without_a_password_cannot_log_in(mongodb: str) -> None:
    """As the demo's customers are."""
    changes = {"contact_info.primary_email": "silent@example.com", "profile.display_name": USER["display_name"]}
    user_create(changes=changes, password=None)
    for password in ("!", "x", "None"):
        ANYONE.post("/auth/token", {"email": "silent@example.com", "password": password}, status=401)
