"""Headers of requests and answers, as components of the OpenAPI document."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

LIMITS = ("RateLimit-Policy", "RateLimit")

# Of answers: description, schema, example, and whether an answer that lists the header always has it.
_ANSWERS: dict[str, tuple[str, Schema, Any, bool]] = {
    "X-Request-ID": (
        "The id of this request in our logs: the client's own, if it sent a sane one.",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
        "0b6a3f0e-6e0e-4b5b-8f0e-2f7f1c1d9a3b",
        True,
    ),
    "ETag": (
        "The resource's version, for If-Match and If-None-Match.",
        {"type": "string"},
        '"3"',
        True,
    ),
    "Location": ("The path of the new resource.", {"type": "string"}, "/users/65f0c0ffee0123456789abcd", True),
    "Link": (
        'The next page, `rel="next"`; missing on the last one (RFC 8288).',
        {"type": "string"},
        '<https://shop.example.com/products?limit=20&cursor=AbC...>; rel="next"',
        False,
    ),
    "RateLimit-Policy": (
        "The limit that counts for this route: q requests in w seconds (IETF draft on RateLimit headers).",
        {"type": "string"},
        '"default";q=6000;w=60',
        False,
    ),
    "RateLimit": (
        "How many requests are left, and the seconds until the count begins anew.",
        {"type": "string"},
        '"default";r=5999;t=42',
        False,
    ),
    "Retry-After": ("Seconds to wait before trying again.", {"type": "integer", "minimum": 1}, 12, True),
    "WWW-Authenticate": ("How to authenticate (RFC 6750).", {"type": "string"}, "Bearer", True),
    "Idempotent-Replayed": (
        "`true` when this answer was given before, to the first request with this Idempotency-Key.",
        {"type": "string", "enum": ["true"]},
        "true",
        False,
    ),
}

# Of requests: description and schema. No examples: Swagger UI would send them along.
_REQUESTS: dict[str, tuple[str, Schema]] = {
    "X-Request-ID": (
        "An id of your own for this request: up to 128 letters, digits, `.`, `_`, `-`. The answer repeats it, and so "
        "do our logs. Anything else is replaced, not refused.",
        {"type": "string"},
    ),
    "If-Match": (
        "The ETag of the version that this change is based on. When the resource has another one by now, nothing is "
        "written and the answer is 409 VERSION_CONFLICT.",
        {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'},
    ),
    "If-None-Match": (
        "The ETag of the version that you have. When it is the current one, the answer is 304 without a body, but for "
        "the owner of a product and staff, who see more of it than others. What is no ETag counts as none.",
        {"type": "string"},
    ),
    "Idempotency-Key": (
        "A key of your own for this order, kept for 24 hours. A repeated request with the same key and the same body "
        "gets the first answer again; another body with the same key is refused with 422.",
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"},
    ),
}


def _component(name: str) -> str:
    return name.replace("-", "")


def references(names: Iterable[str]) -> Schema:
    """Return the `headers` of an answer."""
    return {name: {"$ref": f"#/components/headers/{_component(name)}"} for name in names}


def answer_components() -> dict[str, Schema]:
    """Return the components of answers' headers."""
    return {
        _component(name): {"description": text, "required": always, "schema": schema, "example": example}
        for name, (text, schema, example, always) in _ANSWERS.items()
    }


def parameters(names: Iterable[str]) -> list[Schema]:
    """Return request headers as `parameters` of an operation."""
    return [{"$ref": f"#/components/parameters/{_component(name)}"} for name in names]


def parameter_components() -> dict[str, Schema]:
    """Return the components of request headers."""
    return {
        _component(name): {
            "in": "header",
            "name": name,
            "required": False,
            "description": text,
            "schema": schema,
        }
        for name, (text, schema) in _REQUESTS.items()
    }
