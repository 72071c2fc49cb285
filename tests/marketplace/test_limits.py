"""Rate limits: who is counted for what, the headers, and that all processes share one count (SPEC section 2)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver

from marketplace import mongo
from marketplace.api import counters, limits
from marketplace.api.addresses import client_address
from marketplace.api.counters import Leases, Standing
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
    limited(default=0, sign_up=0, refresh=0, login=0)
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


def address_of(remote: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(REMOTE_ADDR=remote).get("/", headers=headers))


def with_proxies(settings: Any, count: int) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": count}


def test_forwarded_addresses_count_for_nothing_by_default() -> None:
    assert address_of("192.0.2.1", "198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first is what the client made up
        (2, "203.0.113.9, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (1, None, "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
    ],
)
def test_address_behind_proxies(settings: Any, proxies: int, forwarded: str | None, expected: str) -> None:
    with_proxies(settings, proxies)
    assert address_of("192.0.2.1", forwarded) == expected


def test_limits_behind_a_proxy(limited: Callable[..., None], settings: Any) -> None:
    limited(sign_up=1)
    made_up = [ANYONE("POST", "/users", {}, X_Forwarded_For=f"198.51.100.{i}").status_code for i in range(3)]
    assert made_up == [422, 429, 429]
    with_proxies(settings, 1)
    behind = [ANYONE("POST", "/users", {}, X_Forwarded_For=f"198.51.100.{i}").status_code for i in range(3)]
    assert behind == [422, 422, 422]


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_ipv6_counts_by_network(remote: str, expected: str) -> None:
    assert address_of(remote) == expected


def test_no_address_and_no_email_is_stored(limited: Callable[..., None]) -> None:
    limited(login=5, sign_up=5, default=5)
    log_in("ada@example.com", api=from_address("192.0.2.1"))
    from_address("192.0.2.1")("POST", "/users", {})
    from_address("192.0.2.1")("GET", "/products")
    found = list(mongo.database()[counters.COLLECTION].find())
    assert sorted(one["_id"].partition(":")[0] for one in found) == ["default", "login", "login", "sign-up"]
    assert "ada" not in str(found)
    assert "192.0.2.1" not in str(found)


# --- the count that processes share ---


class Clock:
    """A process's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def end_windows(self) -> None:
        """Let all windows end: here, and in MongoDB as if they had begun earlier."""
        self.now += counters.WINDOW_SECONDS
        past = datetime.now(UTC) - timedelta(seconds=1)
        mongo.database()[counters.COLLECTION].update_many({}, {"$set": {"ends_at": past}})


def drain(*processes: Leases, limit: int) -> int:
    """Hit in turns until all processes refuse; return how many hits passed."""
    passed = 0
    while any(results := [process.take("key", limit).allowed for process in processes]):
        passed += sum(results)
    return passed


@pytest.mark.parametrize("limit", [1, 5, 60, 199])
def test_small_limits_are_exact(limit: int) -> None:
    clock = Clock()
    assert drain(Leases("p", clock), Leases("p", clock), Leases("p", clock), limit=limit) == limit


def test_two_processes_share_a_large_limit() -> None:
    clock = Clock()
    busy, idle = Leases("p", clock), Leases("p", clock)
    assert idle.take("key", 6000).allowed  # and leaves the rest of its block unused
    passed = 1 + drain(busy, limit=6000)
    assert 6000 - counters.MAX_BLOCK <= passed < 6000
    assert passed + drain(idle, busy, limit=6000) == 6000


def test_threads_and_processes_never_exceed_the_limit() -> None:
    clock = Clock()
    processes = [Leases("p", clock) for _ in range(3)]
    found = at_once(12, lambda i: sum(processes[i % 3].take("key", 500).allowed for _ in range(100)))
    assert sum(found) == 500


def test_the_next_window_begins_anew() -> None:
    clock = Clock()
    leases = Leases("p", clock)
    assert drain(leases, limit=2) == 2
    clock.end_windows()
    assert leases.take("key", 2) == Standing(allowed=True, remaining=1, seconds=60)


def test_the_rest_of_a_block_ends_with_its_window() -> None:
    clock = Clock()
    leases, other = Leases("p", clock), Leases("p", clock)
    assert leases.take("key", 5000).allowed
    clock.end_windows()
    assert drain(other, limit=5000) == 5000
    assert not leases.take("key", 5000).allowed


def test_a_window_begins_with_the_first_hit() -> None:
    clock = Clock()
    leases = Leases("p", clock)
    first = leases.take("key", 5000)
    clock.now += 58.5
    last = leases.take("key", 5000)
    assert (first.seconds, last.seconds) == (60, 2)
    assert leases.take("another", 5000).seconds == 60


def test_a_failed_login_is_forgotten_when_its_window_ends(limited: Callable[..., None]) -> None:
    limited(login=1)
    assert statuses(2, lambda: log_in("ada@example.com")) == [401, 429]
    Clock().end_windows()
    assert statuses(2, lambda: log_in("ada@example.com")) == [401, 429]


def stored_counts() -> list[int]:
    return [one["hits"] for one in mongo.database()[counters.COLLECTION].find()]


def test_hits_within_a_block_do_not_ask_mongodb() -> None:
    leases = Leases("p", Clock())
    for _ in range(counters.MAX_BLOCK):
        leases.take("key", 10**6)
        assert stored_counts() == [counters.MAX_BLOCK]
    leases.take("key", 10**6)
    assert stored_counts() == [2 * counters.MAX_BLOCK]


def test_hits_over_the_limit_do_not_ask_mongodb() -> None:
    leases = Leases("p", Clock())
    assert drain(leases, limit=3) == 3
    mongo.database()[counters.COLLECTION].delete_many({})
    assert not any(leases.take("key", 3).allowed for _ in range(10))
    assert stored_counts() == []


def test_memory_for_leases_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_LEASES", 3)
    leases = Leases("p", Clock())
    for key in "abcde":
        leases.take(key, 5)
    assert list(leases._leases) == ["c", "d", "e"]
    assert leases.take("a", 5).remaining == 3  # what was counted is still in MongoDB


def test_mongodb_removes_past_counts() -> None:
    clock = Clock()
    Leases("p", clock).take("key", 5)
    (stored,) = mongo.database()[counters.COLLECTION].find()
    assert (stored["ends_at"] - stored["counted_at"]).total_seconds() == 60
    indexes = mongo.database()[counters.COLLECTION].index_information()
    assert [one.get("expireAfterSeconds") for one in indexes.values() if one["key"] == [("ends_at", 1)]] == [0]


def test_counts_of_a_write_do_not_wait_for_the_journal() -> None:
    assert limits._failures._collection().write_concern.document == {"w": 1, "j": False}
