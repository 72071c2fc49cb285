"""The doctor on settings: what `check --deploy` says, and what only people can judge."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.core import checks

from marketplace.doctor.registry import Finding, Visit, check, fault, ok, warning

# More proxies in a row than anybody has: each one too many lets clients choose the address that they are counted by.
MANY_PROXIES: Final = 5
# Django's own messages know nothing of our variables.
_REMEDIES: Final = {
    "security.W004": "HSTS_SECONDS=300 at first, with HTTPS_ONLY=true",
    "security.W008": "HTTPS_ONLY=true",
    "security.W009": "SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_urlsafe(50))')",
    "security.W012": "HTTPS_ONLY=true",
    "security.W016": "HTTPS_ONLY=true",
    "security.W018": "DEBUG=false",
    "security.W020": "ALLOWED_HOSTS=shop.example.com",
}


@check("settings", "deployment checks")
def deployment_checks(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Pass on what Django's system checks find, ours among them."""
    found = [one for one in checks.run_checks(include_deployment_checks=True) if not one.is_silenced()]
    found = [one for one in found if one.is_serious(checks.WARNING)]
    if not found:
        yield ok("manage.py check --deploy finds nothing")
    yield from map(_passed_on, found)


def _passed_on(message: checks.CheckMessage) -> Finding:
    """Return a message of Django's: the first sentence says what is wrong, what follows may say what to do."""
    problem, _, more = message.msg.partition(". ")
    remedy = _REMEDIES.get(message.id or "") or message.hint or more or ".env.example explains each variable."
    return (fault if message.is_serious() else warning)(f"{problem.rstrip('.')} ({message.id})", remedy)


@check("settings", "proxies")
def proxies(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Hold NUM_PROXIES against what else is said of proxies."""
    number: Any = settings.REST_FRAMEWORK["NUM_PROXIES"]
    if settings.HTTPS_ONLY and not number:
        yield warning(
            "NUM_PROXIES is 0, but HTTPS_ONLY expects a proxy that ends TLS: all clients count as one address",
            "NUM_PROXIES=1, or how many of your proxies add to X-Forwarded-For",
        )
    elif number > MANY_PROXIES:
        yield warning(
            f"NUM_PROXIES is {number}: with more than there are, clients choose the address they are counted by",
            "Set NUM_PROXIES to how many of your proxies add to X-Forwarded-For.",
        )
    else:
        yield ok(f"NUM_PROXIES is {number}, HTTPS_ONLY is {_on(settings.HTTPS_ONLY)}")


@check("settings", "keys")
def keys(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Tell which keys are in use, without showing any."""
    if settings.JWT_SIGNING_KEY == settings.SECRET_KEY:
        yield warning(
            "JWT_SIGNING_KEY is SECRET_KEY: whoever learns one has both",
            "Leave JWT_SIGNING_KEY unset, or change it as docs/keys.md tells.",
        )
        return
    former = len(settings.SECRET_KEY_FALLBACKS) + len(settings.JWT_VERIFICATION_KEYS)
    counted = f"; {former} former or future keys are accepted besides" if former else ""
    yield ok(f"sessions, cursors and access tokens are signed with keys of their own{counted}")


@check("settings", "time zone")
def time_zone(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Hold that all times are in UTC."""
    if settings.TIME_ZONE == "UTC" and settings.USE_TZ:
        yield ok("UTC")
    else:
        yield fault(f"TIME_ZONE is {settings.TIME_ZONE}: events and tables are in UTC", "TIME_ZONE=UTC in the settings")


def _on(value: bool) -> str:  # noqa: FBT001  # the only thing it is told
    return "on" if value else "off"
