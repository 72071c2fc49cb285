"""Who is calling: a bearer token, a staff session of the Django admin, or identity headers behind a trusted gateway."""

from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from marketplace.auth import access, accounts, staff
from marketplace.callers import Caller
from marketplace.errors import AuthenticationError

_HEADERS = {"HTTP_X_USER_ID": "user", "HTTP_X_SUPPLIER_ID": "supplier"}  # as WSGI names them


def caller_of(request: Request) -> Caller:
    """Return the caller that authentication found."""
    return cast(Caller, request.user)


class ChallengingAuthentication(BaseAuthentication):
    """Base of the classes that make a 401 of a failure; without a challenge DRF answers 403."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF's signature
        """Return the challenge (RFC 6750, section 3)."""
        return "Bearer"


class IdentityHeaderAuthentication(ChallengingAuthentication):
    """Takes X-User-ID or X-Supplier-ID as the caller when TRUST_IDENTITY_HEADERS is on.

    Raises AuthenticationError for an unknown account or both headers at once, AccountStatusError for a deleted one.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        if not settings.TRUST_IDENTITY_HEADERS:
            return None
        named = [(kind, request.META[name]) for name, kind in _HEADERS.items() if name in request.META]
        if not named:
            return None
        if len(named) > 1:
            raise AuthenticationError("Send either X-User-ID or X-Supplier-ID")
        return accounts.find(*named[0]).caller, None


class BearerAuthentication(ChallengingAuthentication):
    """Takes the caller from `Authorization: Bearer <access token>`, and looks whether the account may still act.

    Raises AuthenticationError for a bad token or an unknown account, AccountStatusError for one that is deleted or
    suspended.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() not in ("bearer", ""):  # the server hands on nothing of a header that is not ASCII
            return None
        return accounts.find(*access.verify(token.strip())).caller, None


class StaffSessionAuthentication(SessionAuthentication):
    """A signed-in staff account of the Django admin, with Django's CSRF check on writes.

    Reads the session only if the request has its cookie, so that other callers need no SQL database.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        found = super().authenticate(request)
        if found is None or not found[0].is_staff:
            return None
        return staff.caller(cast(AbstractUser, found[0])), None
