"""Rate limits (SPEC section 2): which route has which policy, and the headers that tell clients how they stand.

The headers follow https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

from django.conf import settings
from rest_framework import status
from rest_framework.request import Request

from marketplace.api.addresses import client_address
from marketplace.api.authentication import caller_of
from marketplace.api.counters import WINDOW_SECONDS, Count, Leases, SharedCount, Standing
from marketplace.api.outage import MongoView
from marketplace.callers import ANONYMOUS, Caller
from marketplace.errors import AuthenticationError, RateLimitError, as_app_error
from marketplace.policy import route_name

SIGN_UP, LOGIN, ATTEMPTS, REFRESH, DEFAULT = "sign-up", "login", "login-attempts", "refresh", "default"

# Every other route of a RateLimitedView has DEFAULT. The limits themselves are in settings.RATE_LIMITS.
ROUTES = {
    "POST /users": SIGN_UP,
    "POST /suppliers": SIGN_UP,
    "POST /auth/token": LOGIN,
    "POST /auth/refresh": REFRESH,
}

_leases = {policy: Leases(policy) for policy in (SIGN_UP, ATTEMPTS, REFRESH, DEFAULT)}
_failures = SharedCount(LOGIN)


class RateLimitedView(MongoView):
    """Base of all views with a rate limit.

    Counts after authentication and before permissions: a known caller is counted by account, anybody else by address,
    and refusals (401, 403) count as well. Not `check_throttles`, which DRF asks last. POST /auth/token counts failures
    by `login_attempt`, and all requests by address: hashing a password is the dearest thing that anybody can ask for.
    """

    def perform_authentication(self, request: Request) -> None:
        """Find the caller and count the request. Raises RateLimitError when it is one too many.

        Nobody is the caller of a request whose credentials fail, while its error is rendered.
        """
        try:
            super().perform_authentication(request)
        except Exception as error:
            # As DRF does itself, but for its own exceptions only.
            request._not_authenticated()  # type: ignore[attr-defined]
            if as_app_error(error).status < status.HTTP_500_INTERNAL_SERVER_ERROR:
                self._count(request, ANONYMOUS)
            raise
        self._count(request, caller_of(request))

    def _count(self, request: Request, caller: Caller) -> None:
        http = request._request  # DRF's own attributes cost several times as much
        match = http.resolver_match
        policy = ROUTES.get(route_name(http.method or "", match.route if match else ""), DEFAULT)
        address = client_address(http)
        if policy == LOGIN:
            self._take(ATTEMPTS, address)
            if settings.RATE_LIMITS[LOGIN]:
                self.enforce(LOGIN, _login_standing([address]))
        else:
            self._take(policy, caller.pk if policy == DEFAULT and caller.is_authenticated else address)

    def _take(self, policy: str, key: str) -> None:
        if limit := settings.RATE_LIMITS[policy]:
            self.enforce(policy, _leases[policy].take(key, limit))

    def enforce(self, policy: str, standing: Standing) -> None:
        """Put the standing into the headers of the answer, whichever that will be. Raises RateLimitError."""
        limit = settings.RATE_LIMITS[policy]
        self.headers["RateLimit-Policy"] = f'"{policy}";q={limit};w={WINDOW_SECONDS}'
        self.headers["RateLimit"] = f'"{policy}";r={standing.remaining};t={standing.seconds}'
        if not standing.allowed:
            raise RateLimitError(retry_after_seconds=standing.seconds)


@contextmanager
def login_attempt(view: RateLimitedView, kind: str, email: str) -> Iterator[None]:
    """Check and count one attempt to log in (email as validated), which raises AuthenticationError when it fails.

    Failures count for the account and for the address, whether there is such an account or not. A success is free, but
    it is refused as well when the limit was reached while it ran: guesses sent all at once learn no more than others.
    Raises RateLimitError.
    """
    if not settings.RATE_LIMITS[LOGIN]:
        yield
        return
    keys = [f"{kind}:{email}", client_address(view.request)]
    view.enforce(LOGIN, _login_standing(keys))
    try:
        yield
    except AuthenticationError:
        view.enforce(LOGIN, _failed(keys))
        raise
    view.enforce(LOGIN, _login_standing(keys))


def _login_standing(keys: Sequence[str]) -> Standing:
    """Return how the keys stand before a further attempt."""
    return _standing(_failures.read(keys), attempts=1)


def _failed(keys: Sequence[str]) -> Standing:
    """Count a failure for all keys and return how they stand after it."""
    return _standing([_failures.add(key) for key in keys], attempts=0)


def _standing(failures: Sequence[Count], attempts: int) -> Standing:
    """Return the standing of the key that is nearest to its limit, and of those at it, the one that takes longest."""
    limit = settings.RATE_LIMITS[LOGIN]
    allowed = all(count.hits + attempts <= limit for count in failures)
    used, seconds = max(((min(one.hits, limit), one.seconds) for one in failures), default=(0, WINDOW_SECONDS))
    return Standing(allowed, limit - used, max(1, ceil(seconds)))
