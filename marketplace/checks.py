"""System checks: what the environment must offer, each with what to do when it does not.

`manage.py check` runs the cheap ones, `manage.py check --database default` also those that ask a server.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pymongo
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import split_domain_port
from django.urls import URLPattern, URLResolver, get_resolver
from pymongo.errors import PyMongoError

from marketplace import mongo, policy

_UNDECLARED_BY_DESIGN = ("admin/", "schema", "docs", "redoc", "^")


@register(Tags.security)
def trusted_headers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Warn where anybody who reaches the API directly can name themselves."""
    if not settings.TRUST_IDENTITY_HEADERS or settings.DEBUG:
        return []
    hint = "Keep it only behind a gateway that authenticates and strips X-User-ID and X-Supplier-ID, X_User_ID too."
    return [Warning("TRUST_IDENTITY_HEADERS is on", hint=hint, id="marketplace.W001")]


@register(Tags.security, deploy=True)
def serving(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Ask for what the API needs to answer anybody, and for what is known of its host names."""
    found: list[CheckMessage] = [Error(problem, id="marketplace.E003") for problem in serving_problems()]
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts: an answer's links carry whatever Host the client sent."
        found.append(Warning("ALLOWED_HOSTS takes any host", hint=hint, id="marketplace.W002"))
    return found


def serving_problems() -> list[str]:
    """Return what keeps the API from being served. Commands that don't serve need none of it."""
    unmatched = [host for host in settings.ALLOWED_HOSTS if not _can_match(host)]
    problems = {
        "ALLOWED_HOSTS is empty: every request would be refused. Name the hosts that the API answers to.": bool(
            settings.ALLOWED_HOSTS or settings.DEBUG
        ),
        f"ALLOWED_HOSTS has {', '.join(unmatched)}, which no request can match. Write host names only, without scheme, "
        "port or path; a leading dot stands for all subdomains.": not unmatched,
        "CORS_ALLOWED_ORIGINS is not set. Name the origins whose pages may call the API, or set it to nothing "
        "for none.": settings.CORS_IS_DECIDED,
    }
    return [problem for problem, is_solved in problems.items() if not is_solved]


def _can_match(pattern: str) -> bool:
    """Whether this can be the host of a request, as Django compares it: lower case, and without its port."""
    name = pattern.lower().removeprefix(".")
    return pattern == "*" or (name != "" and split_domain_port(name) == (name, ""))


@register(Tags.urls)
def routes_without_policy(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  # Django's signature
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """Refuse a route that the policy table does not name; nobody could use it."""
    missing = [name for name in declared_routes() if name not in policy.ROUTES]
    hint = "Add it to marketplace.policy.ROUTES."
    return [Error(f"No policy for {name}", hint=hint, id="marketplace.E002") for name in missing]


@register(Tags.database)
def replica_set(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  # Django's signature
    databases: Sequence[str] | None = None,
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """Refuse a MongoDB without transactions. Runs only when databases are asked for."""
    if not databases or not settings.MONGODB_URL:
        return []
    problem = replica_set_problem()
    return [Error(problem, hint=REPLICA_SET_HINT, id="marketplace.E001")] if problem else []


REPLICA_SET_HINT = "Start mongod with --replSet and run rs.initiate() once; a single node is enough."


def replica_set_problem() -> str | None:
    """Return why this MongoDB cannot run transactions, or None."""
    try:
        with pymongo.timeout(settings.MONGODB_TIMEOUT_MS / 1000):
            hello = mongo.client().admin.command("hello")
    except PyMongoError as error:
        return f"MongoDB does not answer: {error}"
    if "setName" in hello or hello.get("msg") == "isdbgrid":
        return None
    return "MongoDB is not a replica set, so it has no transactions"


def declared_routes() -> Iterator[str]:
    """Yield the policy name of every route and method of the API."""
    return _routes(get_resolver().url_patterns, "")


def _routes(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(_UNDECLARED_BY_DESIGN):
            continue
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield from (policy.route_name(method, route) for method in _methods(pattern.callback))


def _methods(view: Any) -> Iterator[str]:
    """Yield the methods that a DRF view answers, GET for HEAD."""
    actions = getattr(view, "actions", None)  # of a viewset
    kind = getattr(view, "cls", None)
    names = actions if actions is not None else [n for n in getattr(kind, "http_method_names", ()) if hasattr(kind, n)]
    yield from (name.upper() for name in names if name != "head")
