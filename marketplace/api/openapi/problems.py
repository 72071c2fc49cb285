"""The error answers of a route: derived from policy, path, method and what the view declares."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.conf import settings

from marketplace.api.openapi import headers
from marketplace.api.openapi.routes import Route
from marketplace.errors import (
    AccountStatusError,
    AppError,
    AuthenticationError,
    AuthorizationError,
    DuplicateError,
    InsufficientStockError,
    NotFoundError,
    RateLimitError,
    StateConflictError,
    UnavailableError,
    ValidationError,
    VersionConflictError,
    envelope,
)
from marketplace.policy import KNOWN

Schema = dict[str, Any]

# What the components of one error are called. Others are called by their codes.
_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    406: "NotAcceptable",
    411: "LengthRequired",
    413: "BodyTooLarge",
    414: "UrlTooLong",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "RateLimited",
    500: "InternalError",
    503: "Unavailable",
}
# Examples of what the errors tell besides their message.
_DETAILS: dict[type[AppError], Schema] = {
    ValidationError: {"fields": {"display_name": ["This field may not be blank."]}},
    VersionConflictError: {"current_version": 3},
    StateConflictError: {"status": "discontinued"},
    DuplicateError: {"field": "email"},
    InsufficientStockError: {
        "item_id": "item_1",
        "product_id": "65f0c0ffee0123456789abcd",
        "variant_name": None,
        "requested": 5,
        "available": 2,
    },
}


def problems_of(route: Route) -> list[AppError]:
    """Return an instance of every error that the route may answer, as it answers it."""
    found = [*_of_any(route), *_of_callers(route), *(_of_writes(route) if route.unsafe else ())]
    if route.single:
        found.append(NotFoundError())
    if route.unsafe or route.action == "list":
        found.append(_example(ValidationError))
    found += map(_example, route.errors)
    return sorted(found, key=lambda error: (error.status, error.code))


def _of_any(route: Route) -> Iterator[AppError]:
    yield _refusal(400, "The request is not acceptable")
    yield _refusal(406, "Could not satisfy the request Accept header.")
    yield _refusal(414, "The URL is longer than 8000 bytes")
    yield AppError()
    if route.limited:
        yield RateLimitError(retry_after_seconds=12)
    if route.limited or route.signs_in:
        yield UnavailableError()


def _of_callers(route: Route) -> Iterator[AppError]:
    if not route.signs_in:
        return
    yield AuthenticationError()
    yield AccountStatusError()
    # Not only who is none of the callers: writes with a staff session need a CSRF token.
    if route.unsafe or KNOWN - route.kinds:
        yield AuthorizationError()


def _of_writes(route: Route) -> Iterator[AppError]:
    yield _refusal(411, "The body needs a Content-Length")
    yield _refusal(413, f"The body is larger than {settings.MAX_BODY_BYTES} bytes")
    yield _refusal(415, 'Unsupported media type "text/plain" in request.')
    if route.single:
        yield _example(VersionConflictError)


def _example(error: type[AppError]) -> AppError:
    return error(details=_DETAILS.get(error))


def _refusal(status: int, message: str) -> AppError:
    error = ValidationError(message)
    error.status = status
    return error


def component_name(errors: Iterable[AppError]) -> str:
    """Return the name of the response with these errors of one status."""
    known = list(errors)
    if len(known) == 1 and known[0].status in _NAMES:
        return _NAMES[known[0].status]
    return "Or".join(error.code.title().replace("_", "") for error in known)


def responses(errors: list[AppError]) -> Iterator[tuple[int, str, Schema]]:
    """Yield status, component name and response of each status that the errors have."""
    for status, group in groupby(errors, key=lambda error: error.status):
        found = list(group)
        yield status, component_name(found), _response(found)


def _response(errors: list[AppError]) -> Schema:
    names = ["X-Request-ID", *errors[0].headers]
    if errors[0].status != 503:
        names += headers.LIMITS
    return {
        "description": "; or ".join(f"`{error.code}`: {error.message}" for error in errors),
        "headers": headers.references(names),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {
                    error.code: {"value": envelope(error.code, error.message, error.details)} for error in errors
                },
            }
        },
    }


def _codes(family: type[AppError] = AppError) -> Iterator[str]:
    yield family.code
    for child in family.__subclasses__():
        yield from _codes(child)


def error_schemas() -> dict[str, Schema]:
    """Return the components of the error envelope."""
    return {
        "Error": {
            "type": "object",
            "description": "What every answer from 400 on has as its body.",
            "properties": {"error": {"$ref": "#/components/schemas/ErrorBody"}},
            "required": ["error"],
        },
        "ErrorBody": {
            "type": "object",
            "description": "What went wrong.",
            "properties": {
                "code": {"$ref": "#/components/schemas/ErrorCode"},
                "message": {"type": "string", "description": "For people; it may change."},
                "details": {"$ref": "#/components/schemas/ErrorDetails"},
            },
            "required": ["code", "message"],
        },
        "ErrorCode": {
            "type": "string",
            "description": "For programs; it does not change.",
            "enum": list(dict.fromkeys(_codes())),
        },
        "ErrorDetails": {
            "type": "object",
            "description": "More about it, by the kind of error; left out when there is nothing more to say.",
            "properties": {
                "fields": {
                    "type": "object",
                    "description": "VALIDATION_ERROR: messages by the dotted path of the field or parameter.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
                "field": {"type": "string", "description": "DUPLICATE_RESOURCE: whose value is taken."},
                "status": {"type": "string", "description": "STATE_CONFLICT: what the resource is now."},
                "current_version": {"type": "integer", "description": "VERSION_CONFLICT: what it is now."},
                "item_id": {"type": "string", "description": "INSUFFICIENT_STOCK: the line that is short."},
                "product_id": {"type": "string", "description": "INSUFFICIENT_STOCK: its product."},
                "variant_name": {"type": ["string", "null"], "description": "INSUFFICIENT_STOCK: its variant."},
                "requested": {"type": "integer", "description": "INSUFFICIENT_STOCK: how many were asked for."},
                "available": {"type": "integer", "description": "INSUFFICIENT_STOCK: how many are there."},
            },
        },
    }
