"""What every request gets before Django looks at its URL: an id, a clean path, a limit on its body."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase

from marketplace import mongo, tracing
from marketplace.api.errors import bad_request, error_response
from marketplace.errors import ValidationError

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Lists set their own deadline; on a single read it would cost a tenth, and `mongo.connect` bounds that.
_READS = ("GET", "HEAD")
# Django's own pages keep their trailing slashes.
_DJANGO_PATHS = ("/admin/", f"/{settings.STATIC_URL.strip('/')}/")


class RequestMiddleware:
    """Sets request id and trace context; checks Host and body size; answers `/users/` as `/users`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE_ID.fullmatch(given) else str(uuid.uuid4())
        tracing.start(request_id, request.META.get("HTTP_TRACEPARENT", ""))
        response = self._answer(request)
        response["X-Request-ID"] = request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost as error:
            return bad_request(request, error)
        if _content_length(request) > settings.MAX_BODY_BYTES:
            too_large = ValidationError(f"The body is larger than {settings.MAX_BODY_BYTES} bytes")
            return error_response(too_large, status=413)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            # Django reads no body without a length: what the client sent, its `version` too, would be ignored.
            return error_response(ValidationError("The body needs a Content-Length"), status=411)
        path = request.path_info
        if path.endswith("/") and not path.startswith(_DJANGO_PATHS):
            request.path_info = path.rstrip("/") or "/"
        if request.method in _READS:
            return self.get_response(request)
        with mongo.deadline():
            return self.get_response(request)


def _content_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0
