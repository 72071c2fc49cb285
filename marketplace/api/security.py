"""What browsers may do with an answer: Content-Security-Policy and the headers that Django has no setting for; HTTPS.

Everything that is no page gets a policy under which it can do nothing at all. Pages get files of this origin only: no
inline script, no other host; of inline styles those whose text is listed here.
"""

import base64
import dataclasses
import hashlib

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from marketplace.api.errors import error_response
from marketplace.errors import AuthorizationError


def _hash(text: str) -> str:
    """Return the source expression of an inline style (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# The style attributes of the browsable API's template.
_STYLES = ("float: right; margin-right: 10px",)
PAGE: dict[str, list[str]] = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-hashes'", *map(_hash, _STYLES)],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
# https://owasp.org/www-project-secure-headers/: no page here uses any of these.
NO_FEATURES = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


class SecurityHeadersMiddleware(CSPMiddleware):
    """Sets Content-Security-Policy, Permissions-Policy and Cross-Origin-Resource-Policy on every answer."""

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:  # type: ignore[override]  # as Django's
        super().process_request(request)
        if settings.SECURE_SSL_REDIRECT and request.method not in ("GET", "HEAD") and not request.is_secure():
            # A redirect would make a GET of it. And what it carried was readable on the way: better said than mended.
            return error_response(AuthorizationError("Send this over HTTPS"))
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            super().process_response(request, response)
            response["Permissions-Policy"] = NO_FEATURES
        else:
            response.headers.setdefault(HEADER, NOTHING)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002  # the library's signature
    ) -> PolicyParts:
        """Return the policy of a page; a view's `@csp_update` adds to it."""
        parts = super().get_policy_parts(request, response, report_only)
        return parts if report_only else dataclasses.replace(parts, config=PAGE)
