"""How a route is named in the policy table and in log lines."""

import functools
import re


@functools.cache
def template(route: str) -> str:
    """Return the path of a Django route with its parameters in braces: `users/<str:id>` -> `/users/{id}`."""
    return "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", route)
