"""Who is calling: identity headers behind a trusted gateway, or a staff session of the Django admin."""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from marketplace.callers import Caller, Kind
from marketplace.errors import AccountStatusError, AuthenticationError, NotFoundError

_HEADERS: dict[str, Kind] = {"HTTP_X_USER_ID": "user", "HTTP_X_SUPPLIER_ID": "supplier"}  # as WSGI names them


def caller_of(request: Request) -> Caller:
    """Return the caller that authentication found."""
    return cast(Caller, request.user)


class IdentityHeaderAuthentication(BaseAuthentication):
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
        return self._caller(*named[0]), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF's signature
        """Return the challenge of a 401; without it DRF answers 403."""
        return "Bearer"

    def _caller(self, kind: Kind, identifier: str) -> Caller:
        find_account = import_string(settings.ACCOUNT_FINDERS[kind])
        try:
            account = find_account(identifier)
        except NotFoundError as error:
            raise AuthenticationError("Unknown account") from error
        if account.get("deleted_at") is not None:
            raise AccountStatusError
        return Caller(kind, str(account["_id"]))


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
        return Caller("staff", found[0].get_username()), None
