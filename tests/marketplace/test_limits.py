"""Rate limits: who is counted for what, and the headers (SPEC section 2)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver

from marketplace import mongo
from marketplace.api import counters, limits
from marketplace.api.counters import Leases
from marketplace.checks import declared_routes
from tests.api import ANYONE, USER, Api, answered, new_user, supplier_body, unique_email
from tests.concurrency import at_once

pytestmark = pytest.mark.usefixtures("api")

WRONG = "not my password"
# A window that no test sees the end of.
LONG = 10**7


@pytest.fixture
def limited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set limits for the test, in a window that does not end, as a process that has counted nothing yet."""
    for module in (counters, limits):
        monkeypatch.setattr(module, "WINDOW_SECONDS", LONG)

    def limit(**policies: int) -> None:
        named = {name.replace("_", "-"): value for name, value in policies.items()}
        settings.RATE_LIMITS = django_settings.RATE_LIMITS | named
        fresh_process(monkeypatch)

    return limit


def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for policy in limits._leases:
        monkeypatch.setitem(limits._leases, policy, Leases(policy))


def sign_up() -> HttpResponse:
    return ANYONE("POST", "/users", USER | {"email": unique_email()})


def log_in(email: str, password: str = WRONG, account: str = "user", api: Api = ANYONE) -> HttpResponse:
    return api("POST", "/auth/token", {"email": email, "password": password, "account": account})


def from_address(address: str) -> Api:
    return Api(Client(REMOTE_ADDR=address))


def statuses(count: int, send: Callable[[], HttpResponse]) -> list[int]:
    return [send().status_code for _ in range(count)]


# --- policies ---


def test_sign_up_is_limited_by_address(limited: Callable[..., None]) -> None:
    limited(sign_up=4)
    assert statuses(3, sign_up) == [201] * 3
    assert ANYONE("POST", "/suppliers", supplier_body()).status_code == 201
    assert statuses(2, sign_up) == [429] * 2
    assert ANYONE("POST", "/suppliers", supplier_body()).status_code == 429
    assert from_address("192.0.2.1")("POST", "/users", USER).status_code == 201
    assert ANYONE("GET", "/products").status_code == 200


def test_refused_sign_ups_count(limited: Callable[..., None]) -> None:
    limited(sign_up=2)
    assert statuses(3, lambda: ANYONE("POST", "/users", {})) == [422, 422, 429]


def test_refresh_is_limited_by_address(limited: Callable[..., None]) -> None:
    limited(refresh=2)
    assert statuses(3, lambda: ANYONE("POST", "/auth/refresh", {"refresh": "nonsense"})) == [400, 400, 429]
    elsewhere = from_address("192.0.2.1")
    assert elsewhere("POST", "/auth/refresh", {"refresh": "nonsense"}).status_code == 400


def test_every_other_route_is_limited_by_caller(limited: Callable[..., None]) -> None:
    ada, bob = new_user(), new_user()
    limited(default=3)
    assert statuses(2, lambda: ada("GET", f"/users/{ada.id}")) == [200] * 2
    assert ada("GET", "/orders").status_code == 200
    assert ada("GET", "/products").status_code == 429
    assert bob("GET", "/products").status_code == 200
    assert statuses(4, lambda: ANYONE("GET", "/products")) == [200, 200, 200, 429]


def test_answers_to_callers_who_may_not_count_too(limited: Callable[..., None]) -> None:
    ada = new_user()
    limited(default=2)
    assert statuses(3, lambda: ada("GET", "/users")) == [403, 403, 429]
    assert statuses(3, lambda: ANYONE("GET", "/orders")) == [401, 401, 429]


def test_failed_authentication_counts_for_the_address(limited: Callable[..., None]) -> None:
    limited(default=2)
    wrong = Api(**{"Authorization": "Bearer nonsense"})
    assert statuses(3, lambda: wrong("GET", "/products")) == [401, 401, 429]
    assert ANYONE("GET", "/products").status_code == 429


def test_a_limit_of_zero_is_none(limited: Callable[..., None]) -> None:
    limited(default=0, sign_up=0, refresh=0, login=0, login_attempts=0)
    for answer in (ANYONE("GET", "/products"), sign_up(), log_in("a@example.com")):
        assert answer.status_code in (200, 201, 401)
        assert "RateLimit" not in answer
        assert "RateLimit-Policy" not in answer
    assert mongo.database()[counters.COLLECTION].count_documents({}) == 0


def test_probes_are_not_limited(limited: Callable[..., None]) -> None:
    limited(default=1)
    for path in ("/", "/health", "/health/ready"):
        answers = [ANYONE("GET", path) for _ in range(3)]
        assert 429 not in [answer.status_code for answer in answers]
        assert "RateLimit" not in answers[0]


def test_every_route_but_the_probes_is_limited() -> None:
    found = {name for name in declared_routes() if not is_limited(name, get_resolver())}
    assert found == {"GET /", "GET /health", "GET /health/ready"}


def is_limited(name: str, resolver: Any) -> bool:
    path = name.partition(" ")[2].replace("{id}", "x")
    view = resolver.resolve(path).func
    return issubclass(getattr(view, "cls", None) or view.view_class, limits.RateLimitedView)


def test_each_named_route_exists() -> None:
    assert set(limits.ROUTES) <= set(declared_routes())


# --- headers ---


def standing(answer: HttpResponse) -> tuple[str, int, int]:
    """Return policy, rest and seconds of the header RateLimit, after checking its syntax."""
    found = re.fullmatch(r'"([a-z-]+)";r=(\d+);t=(\d+)', answer["RateLimit"])
    assert found is not None, answer["RateLimit"]
    return found[1], int(found[2]), int(found[3])


def test_headers_of_answers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"default": 6000}
    fresh_process(monkeypatch)
    for path, status in (("/products", 200), ("/orders", 401), ("/products/nonsense", 404), ("/products?limit=x", 422)):
        answer = ANYONE("GET", path)
        assert answer.status_code == status
        assert answer["RateLimit-Policy"] == '"default";q=6000;w=60'
        policy, rest, seconds = standing(answer)
        assert policy == "default"
        assert 5900 <= rest < 6000
        assert 1 <= seconds <= 60
        assert "Retry-After" not in answer


def test_the_rest_counts_down(limited: Callable[..., None]) -> None:
    limited(default=3)
    assert [standing(ANYONE("GET", "/products"))[:2] for _ in range(4)] == [
        ("default", 2),
        ("default", 1),
        ("default", 0),
        ("default", 0),
    ]


@pytest.mark.parametrize(
    ("policy", "send"),
    [
        ("sign-up", lambda: ANYONE("POST", "/users", {})),
        ("refresh", lambda: ANYONE("POST", "/auth/refresh", {"refresh": "nonsense"})),
        ("login", lambda: log_in("ada@example.com")),
        ("default", lambda: ANYONE("GET", "/products")),
    ],
)
def test_a_refusal(limited: Callable[..., None], policy: str, send: Callable[[], HttpResponse]) -> None:
    limited(**{policy.replace("-", "_"): 1})
    send()
    refused = send()
    assert answered(refused, 429)["code"] == "RATE_LIMITED"
    assert refused["RateLimit-Policy"] == f'"{policy}";q=1;w={LONG}'
    name, rest, seconds = standing(refused)
    assert (name, rest) == (policy, 0)
    assert int(refused["Retry-After"]) == seconds > 0


# --- log-in ---


def test_failed_logins_of_an_account_are_limited(limited: Callable[..., None]) -> None:
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login=2)
    answers = [log_in(email, api=from_address(f"192.0.2.{i}")) for i in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [standing(answer)[:2] for answer in answers] == [("login", 1), ("login", 0), ("login", 0)]
    right = log_in(f" {email.upper()} ", USER["password"], api=from_address("192.0.2.9"))
    assert answered(right, 429)["code"] == "RATE_LIMITED"


def test_failed_logins_of_an_address_are_limited(limited: Callable[..., None]) -> None:
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login=2)
    assert statuses(3, lambda: log_in(unique_email())) == [401, 401, 429]
    assert log_in(email, USER["password"]).status_code == 429
    assert log_in(email, USER["password"], api=from_address("192.0.2.1")).status_code == 200


def test_an_unknown_account_is_limited_the_same(limited: Callable[..., None]) -> None:
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login=1)
    known = [log_in(email, api=from_address(f"192.0.2.{i}")) for i in range(2)]
    unknown = [log_in("nobody@example.com", api=from_address(f"192.0.3.{i}")) for i in range(2)]
    assert [(one.status_code, one.content) for one in known] == [(one.status_code, one.content) for one in unknown]
    assert [standing(one)[:2] for one in known] == [standing(one)[:2] for one in unknown]


def test_accounts_of_another_kind_are_counted_apart(limited: Callable[..., None]) -> None:
    body = supplier_body()
    email = body["contact_info"]["primary_email"]
    ANYONE.post("/suppliers", body, status=201)
    limited(login=1)
    assert statuses(2, lambda: log_in(email, account="user")) == [401, 429]
    elsewhere = from_address("192.0.2.1")
    assert log_in(email, body["password"], "supplier", elsewhere).status_code == 200


def test_successful_logins_do_not_count(limited: Callable[..., None]) -> None:
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login=2)
    answers = [log_in(email, USER["password"]) for _ in range(4)]
    assert [(one.status_code, standing(one)[1]) for one in answers] == [(200, 2)] * 4
    assert statuses(3, lambda: log_in(email)) == [401, 401, 429]


def test_simultaneous_guesses_are_no_way_around(limited: Callable[..., None]) -> None:
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login=3)
    found = at_once(16, lambda i: log_in(email, api=from_address(f"192.0.2.{i}")).status_code)
    assert (found.count(401), found.count(429)) == (3, 13)


def test_a_right_guess_among_too_many_is_refused(limited: Callable[..., None]) -> None:
    """The failures that use the limit up are counted while the right password is being checked."""
    view = limits.RateLimitedView()
    view.request, view.headers = RequestFactory().post("/auth/token"), {}
    limited(login=2)

    def guess() -> None:
        with limits.login_attempt(view, "user", "ada@example.com"):
            assert statuses(2, lambda: log_in("ada@example.com", api=from_address("192.0.2.1"))) == [401, 401]

    with pytest.raises(limits.RateLimitError):
        guess()


# --- addresses ---


def test_limits_behind_a_proxy(limited: Callable[..., None], settings: Any) -> None:
    limited(sign_up=1)
    made_up = [ANYONE("POST", "/users", {}, X_Forwarded_For=f"198.51.100.{i}").status_code for i in range(3)]
    assert made_up == [422, 429, 429]
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    behind = [ANYONE("POST", "/users", {}, X_Forwarded_For=f"198.51.100.{i}").status_code for i in range(3)]
    assert behind == [422, 422, 422]


def test_no_address_and_no_email_is_stored(limited: Callable[..., None]) -> None:
    limited(login=5, sign_up=5, default=5)
    log_in("ada@example.com", api=from_address("192.0.2.1"))
    from_address("192.0.2.1")("POST", "/users", {})
    from_address("192.0.2.1")("GET", "/products")
    found = list(mongo.database()[counters.COLLECTION].find())
    policies = ["default", "login", "login", "login-attempts", "sign-up"]
    assert sorted(one["_id"].partition(":")[0] for one in found) == policies
    assert "ada" not in str(found)
    assert "192.0.2.1" not in str(found)


def test_log_ins_that_succeed_are_limited_by_address(limited: Callable[..., None]) -> None:
    """Each hashes a password."""
    email = unique_email()
    ANYONE.post("/users", USER | {"email": email}, status=201)
    limited(login_attempts=2)
    answers = [log_in(email, USER["password"]) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert standing(answers[-1])[:2] == ("login-attempts", 0)
    assert log_in(email, USER["password"], api=from_address("192.0.2.7")).status_code == 200
