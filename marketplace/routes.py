"""How a route is named in the policy table, log lines, metrics and traces."""

import functools
import re

from django.http import HttpRequest


@functools.cache
def template(route: str) -> str:
    """Return the path of a Django route with its parameters in braces: `users/<str:id>` -> `/users/{id}`."""
    return "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", route)


def of(request: HttpRequest) -> str:
    """Return the template of the route that a request has taken, or nothing before routing and for unknown URLs."""
    match = request.resolver_match
    return template(match.route) if match and not match.route.startswith("^") else ""
