"""Access tokens: which ones name a caller, and which do not."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings

from marketplace.auth.access import key_id
from tests.api import ANYONE, NOBODY, USER, Api, Json, answered, new_user
from tests.marketplace.auth.conftest import bearer, log_in

NEW_KEY = "a-key-that-replaces-the-old-one-0123456789"


@pytest.fixture
def token(user: Json) -> str:
    """The access token of a user."""
    return log_in(user["email"])["access"]


def claims_of(token: str) -> Json:
    return jwt.decode(token, options={"verify_signature": False})


def refused(token: str) -> bool:
    """Whether nobody is called by this token, on a public route too."""
    response = Api(**{"Authorization": f"Bearer {token}"})("GET", "/products")
    if response.status_code == 200:
        return False
    assert answered(response, 401)["code"] == "AUTHENTICATION_FAILED"
    assert response["WWW-Authenticate"] == "Bearer"
    return True


def test_what_a_token_says(token: str, user: Json, settings: Any) -> None:
    header, claims = jwt.get_unverified_header(token), claims_of(token)
    assert header == {"alg": "HS256", "typ": "at+jwt", "kid": key_id(settings.JWT_SIGNING_KEY)}
    assert set(claims) == {"iss", "aud", "sub", "account", "iat", "exp", "jti"}
    assert (claims["sub"], claims["account"]) == (user["id"], "user")
    assert (claims["iss"], claims["aud"]) == ("marketplace", "marketplace")
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert abs(claims["iat"] - datetime.now(UTC).timestamp()) < 60


def test_every_token_has_its_own_id(user: Json) -> None:
    assert claims_of(log_in(user["email"])["access"])["jti"] != claims_of(log_in(user["email"])["access"])["jti"]


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": timedelta(seconds=-30)},
        {"exp": None},
        {"iss": "somebody else"},
        {"iss": None},
        {"aud": "another service"},
        {"aud": None},
        {"sub": NOBODY},
        {"sub": "x"},
        {"sub": None},
        {"account": "admin"},
        {"account": "anonymous"},
        {"account": ["user"]},
        {"account": "supplier"},
        {"account": None},
        {"jti": None},
        {"iat": None},
        {"iat": timedelta(hours=1)},
        {"nbf": timedelta(hours=1)},
    ],
    ids=str,
)
def test_our_signature_alone_is_not_enough(token: str, changed: Json) -> None:
    claims = claims_of(token)
    assert not refused(signed(claims))
    now = datetime.now(UTC)
    meant = {name: now + value if isinstance(value, timedelta) else value for name, value in changed.items()}
    assert refused(signed({name: value for name, value in (claims | meant).items() if value is not None}))


def signed(claims: Json) -> str:
    key = django_settings.JWT_SIGNING_KEY
    return jwt.encode(claims, key, "HS256", headers={"kid": key_id(key), "typ": "at+jwt"})


def test_hosts_may_differ_by_some_seconds(token: str) -> None:
    """Else a log-in at one of them would not count at another whose clock is a moment behind."""
    assert not refused(signed(claims_of(token) | {"iat": datetime.now(UTC) + timedelta(seconds=5)}))


@pytest.mark.parametrize(
    ("algorithm", "headers"),
    [
        ("HS512", {}),
        ("none", {}),
        ("HS256", {"kid": "0" * 16}),
        ("HS256", {"kid": None}),
        ("HS256", {"kid": ["x"]}),
        ("HS256", {"typ": "JWT"}),
        ("HS256", {"typ": None}),
    ],
)
def test_only_our_way_of_signing(token: str, settings: Any, algorithm: str, headers: Json) -> None:
    named = {"kid": key_id(settings.JWT_SIGNING_KEY), "typ": "at+jwt"} | headers
    head = {"alg": algorithm, **{name: value for name, value in named.items() if value is not None}}
    signing = f"{encoded(head)}.{encoded(claims_of(token))}"
    signer = jwt.get_algorithm_by_name(algorithm)
    key = signer.prepare_key(None if algorithm == "none" else settings.JWT_SIGNING_KEY)
    signature = base64.urlsafe_b64encode(signer.sign(signing.encode(), key)).rstrip(b"=").decode()
    assert refused(f"{signing}.{signature}")


def encoded(part: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_changed_token_is_refused(token: str, user: Json) -> None:
    header, claims, signature = token.split(".")
    other = encoded(claims_of(token) | {"account": "staff", "sub": "1"})
    assert refused(f"{header}.{other}.{signature}")
    assert refused(f"{header}.{claims}.{signature[::-1]}")
    assert refused(f"{header}.{claims}.")


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "....", "x" * 5000, "\u00e9", "null"])
def test_nonsense_names_nobody(mongodb: str, value: str) -> None:
    assert refused(value)


def test_the_scheme_has_no_case(token: str, user: Json) -> None:
    for scheme in ("bearer", "BEARER"):
        assert Api(Authorization=f"{scheme} {token}").get(f"/users/{user['id']}")


@pytest.mark.parametrize("value", ["Basic YTpi", "Token x", "", "Bearer"])
def test_other_schemes_are_not_ours(token: str, user: Json, value: str) -> None:
    caller = Api(Authorization=value)
    if value in ("", "Bearer"):
        assert answered(caller("GET", "/products"), 401)
    else:
        assert caller.get("/products") == []
    assert answered(caller("GET", f"/users/{user['id']}"), 401)


def test_keys_rotate(token: str, user: Json, settings: Any) -> None:
    old, settings.JWT_SIGNING_KEY = settings.JWT_SIGNING_KEY, NEW_KEY
    assert refused(token)
    settings.JWT_VERIFICATION_KEYS = ["another-key-of-long-ago-0123456789abcdef", old]
    assert not refused(token)
    fresh = log_in(user["email"])["access"]
    assert jwt.get_unverified_header(fresh)["kid"] == key_id(NEW_KEY)
    assert not refused(fresh)
    settings.JWT_VERIFICATION_KEYS = []
    assert refused(token)
    assert not refused(fresh)


def test_trusted_headers_go_first(api: None) -> None:
    """A gateway names the caller; what the client sent along is its business."""
    header_user = new_user()
    body = USER | {"email": "token@example.com"}
    token_user = ANYONE.post("/users", body, status=201)
    both = Api(**{"Authorization": f"Bearer {log_in(body['email'])['access']}", "X-User-ID": header_user.id})
    assert both.get(f"/users/{header_user.id}")
    assert answered(both("GET", f"/users/{token_user['id']}"), 404)


def test_a_header_counts_only_where_it_is_trusted(user: Json, token: str) -> None:
    other = ANYONE.post("/users", USER | {"email": "other@example.com"}, status=201)
    both = Api(**{"Authorization": f"Bearer {token}", "X-User-ID": other["id"]})
    assert both.get(f"/users/{user['id']}")
    assert answered(both("GET", f"/users/{other['id']}"), 404)


def test_a_supplier_token_is_no_user(supplier: Json, user: Json) -> None:
    caller = bearer(log_in(supplier["email"], "supplier"))
    assert answered(caller("POST", "/posts", {}), 403)
    assert answered(caller("GET", f"/users/{user['id']}"), 404)
