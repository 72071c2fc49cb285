"""Who may call a route, as security schemes and requirements of the OpenAPI document."""

from typing import Any

from django.conf import settings

from marketplace.api.openapi.routes import Route
from marketplace.callers import Kind

Schema = dict[str, Any]

_BEARER: dict[str, Schema] = {
    "bearerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of a user, a supplier or a staff account: `POST /auth/token` gives one.",
    }
}
_SESSION: dict[str, Schema] = {
    "staffSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The session of a staff account: sign in at /admin/. Writes need Django's CSRF token, too.",
    }
}
_IDENTITY_HEADERS: tuple[tuple[Kind, str], ...] = (("user", "X-User-ID"), ("supplier", "X-Supplier-ID"))
_IDENTITY: dict[Kind, dict[str, Schema]] = {
    kind: {
        f"{kind}Id": {
            "type": "apiKey",
            "in": "header",
            "name": header,
            "description": "Set by the gateway in front, which authenticates and strips this header from requests.",
        }
    }
    for kind, header in _IDENTITY_HEADERS
}


def schemes() -> dict[str, Schema]:
    """Return the security schemes that this installation takes."""
    found = _BEARER | _SESSION
    if settings.TRUST_IDENTITY_HEADERS:
        found |= _IDENTITY["user"] | _IDENTITY["supplier"]
    return found


def requirements(route: Route) -> list[Schema]:
    """Return the alternatives, `{}` among them for what needs no credentials; none at all where nobody looks."""
    if not route.signs_in:
        return []
    names = list(_BEARER)
    if "staff" in route.kinds:
        names += _SESSION
    if settings.TRUST_IDENTITY_HEADERS:
        names += [name for kind, scheme in _IDENTITY.items() if kind in route.kinds for name in scheme]
    found: list[Schema] = [{name: []} for name in names]
    return [*found, {}] if "anonymous" in route.kinds else found
