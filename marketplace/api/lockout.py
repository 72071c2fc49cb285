"""The answer to a staff account's log-in that django-axes shuts out."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace.api.errors import error_response
from marketplace.errors import RateLimitError

MESSAGE = "Too many failed log-ins. Try again later."


def locked_out(
    request: HttpRequest,
    original_response: HttpResponse,
    credentials: Any,  # noqa: ARG001  # the library's signature
) -> HttpResponse:
    """Return 429 and when to come back: a page in the admin, elsewhere the envelope, with the rate limit's headers."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    if not request.path_info.startswith("/admin/"):
        response = error_response(RateLimitError(MESSAGE))
        for name in original_response.headers.keys() & {"RateLimit-Policy", "RateLimit"}:
            response[name] = original_response[name]
    else:
        response = render(request, "admin/locked_out.html", {"minutes": seconds // 60}, status=429)
    response["Retry-After"] = str(seconds)
    return response
