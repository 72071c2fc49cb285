"""The AppError family and the handler that turns every exception of a view into the error envelope (SPEC section 2)."""

import logging
from collections.abc import Mapping
from typing import Any

import mongoengine.errors
import pymongo.errors
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.db import DatabaseError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

logger = logging.getLogger("marketplace.errors")

FieldMessages = dict[str, list[str]]


class AppError(Exception):
    """Base of all errors that an API answer may name. `details` goes into the envelope as it is.

    `retry_after_seconds`, where it has any, becomes the answer's Retry-After.
    """

    status = 500
    code = "INTERNAL_ERROR"
    message = "Internal server error"
    retry_after_seconds: int | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        self.message = message or self.message
        self.details = dict(details or {})
        self.retry_after_seconds = retry_after_seconds or self.retry_after_seconds
        super().__init__(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}


class NotFoundError(AppError):
    status = 404
    code = "RESOURCE_NOT_FOUND"
    message = "Resource not found"


class ValidationError(AppError):
    status = 422
    code = "VALIDATION_ERROR"
    message = "The request is not valid"

    @classmethod
    def of(cls, path: str, message: str) -> "ValidationError":
        """Return the error for one field or parameter, `path` being its dotted path."""
        return cls(details={"fields": {path: [message]}})


class StateConflictError(AppError):
    status = 409
    code = "STATE_CONFLICT"
    message = "The current status does not allow this"


class AuthorizationError(AppError):
    status = 403
    code = "FORBIDDEN"
    message = "You are not allowed to do this"


class AuthenticationError(AppError):
    status = 401
    code = "AUTHENTICATION_FAILED"
    message = "Authentication is needed"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class AccountStatusError(AppError):
    status = 403
    code = "ACCOUNT_STATUS_ERROR"
    message = "The account is deleted"


class RateLimitError(AppError):
    status = 429
    code = "RATE_LIMITED"
    message = "Too many requests"


class VersionConflictError(AppError):
    status = 409
    code = "VERSION_CONFLICT"
    message = "The resource has another version by now"


class InsufficientStockError(AppError):
    status = 409
    code = "INSUFFICIENT_STOCK"
    message = "Not enough stock"


class DuplicateError(AppError):
    status = 409
    code = "DUPLICATE_RESOURCE"
    message = "This value is already taken"


class TokenError(AppError):
    status = 400
    code = "INVALID_TOKEN"
    message = "The token is not valid"


class UnavailableError(AppError):
    status = 503
    message = "The service is not available at the moment"
    retry_after_seconds = 5


def envelope(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the body of an error answer."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = dict(details)
    return {"error": error}


def field_messages(detail: Any, path: str = "") -> FieldMessages:
    """Flatten DRF's nested detail into dotted paths: `{"images": {1: {"url": [..]}}}` -> `{"images.1.url": [..]}`."""
    if isinstance(detail, Mapping):
        entries = [(_child(path, str(key)), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        entries = [(_child(path, str(index)), item) for index, item in enumerate(detail)]
    else:
        messages = [str(item) for item in (detail if isinstance(detail, list) else [detail])]
        return {path or "non_field_errors": messages}
    return {name: messages for child, value in entries for name, messages in field_messages(value, child).items()}


def _child(path: str, key: str) -> str:
    if key == "non_field_errors" and path:
        return path
    return f"{path}.{key}" if path else key


# Drivers' and Django's exceptions that stand for one of ours. PyMongo's connection errors come as several classes.
_UNAVAILABLE = (pymongo.errors.ConnectionFailure, pymongo.errors.ExecutionTimeout, pymongo.errors.WTimeoutError)


def as_app_error(error: Exception) -> AppError:
    """Return the AppError that stands for any exception; what is unforeseen becomes a plain INTERNAL_ERROR."""
    match error:
        case AppError():
            return error
        case exceptions.ValidationError():
            return ValidationError(details={"fields": field_messages(error.detail)})
        case mongoengine.errors.NotUniqueError():
            return DuplicateError()
        case mongoengine.errors.ValidationError():
            return ValidationError(details={"fields": field_messages(error.to_dict())})
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return AuthenticationError()
        case exceptions.PermissionDenied() | PermissionDenied():
            # DRF's own words only where they say more than ours, as of a CSRF check.
            said = str(error)
            return AuthorizationError(None if said == exceptions.PermissionDenied.default_detail else said)
        case Http404() | exceptions.NotFound():
            return NotFoundError()
        case SuspiciousOperation():
            return _refused_by_django(error)
        case pymongo.errors.PyMongoError() if isinstance(error, _UNAVAILABLE) or error.timeout:
            return UnavailableError()
        case DatabaseError():
            return UnavailableError("The analytics database is not available at the moment")
        case exceptions.APIException() if error.status_code < status.HTTP_500_INTERNAL_SERVER_ERROR:
            return _request_error(error)
    return AppError()


def _refused_by_django(error: SuspiciousOperation) -> AppError:
    if isinstance(error, TooManyFieldsSent):
        return ValidationError(f"More than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} parameters")
    return ValidationError("The request is not acceptable")


def _request_error(error: exceptions.APIException) -> AppError:
    """Return 405, 406, 413, 415 and the like: DRF's status, in our envelope."""
    known = ValidationError(str(error.detail))
    known.status = error.status_code
    return known


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: log what is our fault, answer with the envelope."""
    known = as_app_error(error)
    if isinstance(known, UnavailableError):
        logger.warning("%s: %s", known.message, error)
    elif known.status >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        logger.error("%s in %s", known.code, context["view"].__class__.__name__, exc_info=error)
    headers = known.headers
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return Response(envelope(known.code, known.message, known.details), status=known.status, headers=headers)
