"""What every request gets before Django looks at its URL: an id, a line in the log, a clean path, limits."""

import re
import uuid
from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase

from marketplace import logs, mongo, tracing
from marketplace.api import caching
from marketplace.api.addresses import client_address
from marketplace.api.errors import bad_request, error_response
from marketplace.errors import ValidationError

Answer = Callable[[HttpRequest], HttpResponseBase]

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Django's own pages keep their trailing slashes.
_DJANGO_PATHS = ("/admin/", f"/{settings.STATIC_URL.strip('/')}/")


class RequestMiddleware:
    """Sets request id and trace context, and logs the answer. The outermost: nothing is answered without it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE_ID.fullmatch(given) else str(uuid.uuid4())
        tracing.start(request_id, request.META.get("HTTP_TRACEPARENT", ""))
        response = logs.logged(request, self.get_response, client_address(request))
        response["X-Request-ID"] = request_id
        if not request.path_info.startswith(_DJANGO_PATHS):
            caching.finish(response)
        return response


class LimitsMiddleware:
    """Refuses what nothing else should have to look at; answers `/users/` as `/users`; sets the deadline."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if refusal := _refusal(request):
            return refusal
        path = request.path_info
        if path.endswith("/") and not path.startswith(_DJANGO_PATHS):
            request.path_info = path.rstrip("/") or "/"
        with mongo.deadline():
            return self.get_response(request)


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    """Return the answer to a request whose frame is wrong: host, URL, or the kind and length of its body."""
    headers = request.META
    try:
        request.get_host()
    except DisallowedHost as error:
        return bad_request(request, error)
    if len(request.path) + len(headers.get("QUERY_STRING", "")) > settings.MAX_URL_BYTES:
        return error_response(ValidationError(f"The URL is longer than {settings.MAX_URL_BYTES} bytes"), status=414)
    if headers.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        # https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
        refused = error_response(ValidationError("The body must not be compressed"), status=415)
        refused["Accept-Encoding"] = "identity"
        return refused
    return _length_refusal(headers)


def _length_refusal(headers: Mapping[str, str]) -> HttpResponseBase | None:
    length = headers.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
        too_large = ValidationError(f"The body is larger than {settings.MAX_BODY_BYTES} bytes")
        return error_response(too_large, status=413)
    if "HTTP_TRANSFER_ENCODING" in headers and not length:
        # Django reads no body without a length: what the client sent, its `version` too, would be ignored.
        return error_response(ValidationError("The body needs a Content-Length"), status=411)
    return None
