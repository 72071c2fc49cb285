"""What caches may do with an answer (RFC 9111): nothing, unless the view of a readable resource says otherwise."""

import functools

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from marketplace.callers import Caller

# To be kept, but never shown again without asking: products sell out, and rights end.
_EVERYONES = {"Cache-Control": "public, no-cache"}
_CALLERS = {"Cache-Control": "private, no-cache"}
# What an answer depends on besides its URL: the format, and who asks.
_CONDITIONS = ["Accept", "Authorization", "Cookie"]
_BEHIND_GATEWAY = ["X-User-ID", "X-Supplier-ID"]


def readable(caller: Caller) -> dict[str, str]:
    """Return the headers of what the caller may read: whoever is not anonymous may see more than others do."""
    return _EVERYONES if caller.kind == "anonymous" else _CALLERS


def finish(response: HttpResponseBase) -> None:
    """Forbid caches to keep what no view has allowed them, and name what the answer depends on."""
    headers = response.headers
    # A cookie is for who asked, also one that only ends a session that was over.
    if "Cache-Control" not in headers or getattr(response, "cookies", None):
        headers["Cache-Control"] = "no-store"
    headers["Vary"] = _vary(headers.get("Vary", ""), settings.TRUST_IDENTITY_HEADERS)


@functools.lru_cache(64)  # a few values that come with every answer
def _vary(given: str, trusting: bool) -> str:
    response = HttpResponse(headers={"Vary": given} if given else {})
    patch_vary_headers(response, _CONDITIONS + (_BEHIND_GATEWAY if trusting else []))
    return response.headers["Vary"]
