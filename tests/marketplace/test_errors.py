"""The error family against SPEC's table, and what becomes of exceptions that are not ours."""

import logging

import mongoengine.errors
import pymongo.errors
import pytest
from django.core.exceptions import PermissionDenied, TooManyFieldsSent
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from catalog import services
from marketplace import errors
from tests.api import ANYONE, Json, answered, new_user
from users.documents import User

# Written from SPEC section 2.
TABLE = {
    "AppError": (500, "INTERNAL_ERROR"),
    "NotFoundError": (404, "RESOURCE_NOT_FOUND"),
    "ValidationError": (422, "VALIDATION_ERROR"),
    "StateConflictError": (409, "STATE_CONFLICT"),
    "AuthorizationError": (403, "FORBIDDEN"),
    "AuthenticationError": (401, "AUTHENTICATION_FAILED"),
    "AccountStatusError": (403, "ACCOUNT_STATUS_ERROR"),
    "RateLimitError": (429, "RATE_LIMITED"),
    "VersionConflictError": (409, "VERSION_CONFLICT"),
    "InsufficientStockError": (409, "INSUFFICIENT_STOCK"),
    "DuplicateError": (409, "DUPLICATE_RESOURCE"),
    "TokenError": (400, "INVALID_TOKEN"),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_family(name: str) -> None:
    kind: type[errors.AppError] = getattr(errors, name)
    assert (kind.status, kind.code) == TABLE[name]
    error = kind("said", details={"a": 1})
    assert issubclass(kind, errors.AppError)
    assert (str(error), error.message, error.details) == ("said", "said", {"a": 1})
    assert kind().message == kind.message != ""


def test_no_other_code_than_specs_is_used() -> None:
    family = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AppError)]
    assert {kind.code for kind in family} == {code for _, code in TABLE.values()}


def test_details_are_left_out_when_empty() -> None:
    assert errors.envelope("X", "m") == {"error": {"code": "X", "message": "m"}}
    assert errors.envelope("X", "m", {}) == {"error": {"code": "X", "message": "m"}}
    assert errors.envelope("X", "m", {"a": 1})["error"]["details"] == {"a": 1}


@pytest.mark.parametrize(
    ("detail", "fields"),
    [
        ({"a": ["x", "y"]}, {"a": ["x", "y"]}),
        ({"a": {"b": {"c": ["x"]}}}, {"a.b.c": ["x"]}),
        ({"a": {1: {"b": ["x"]}, 12: ["y"]}}, {"a.1.b": ["x"], "a.12": ["y"]}),
        ({"a": [{}, {"b": ["x"]}]}, {"a.1.b": ["x"]}),
        ({"a": {"non_field_errors": ["x"]}}, {"a": ["x"]}),
        ({"non_field_errors": ["x"]}, {"non_field_errors": ["x"]}),
        (["x"], {"non_field_errors": ["x"]}),
        ({"a": "x"}, {"a": ["x"]}),
    ],
)
def test_paths_of_fields(detail: Json, fields: Json) -> None:
    assert errors.field_messages(detail) == fields


def timed_out() -> pymongo.errors.PyMongoError:
    return pymongo.errors.ExecutionTimeout("slow", code=50)


@pytest.mark.parametrize(
    ("raised", "kind", "status"),
    [
        (errors.NotFoundError(), errors.NotFoundError, 404),
        (Http404(), errors.NotFoundError, 404),
        (exceptions.NotFound(), errors.NotFoundError, 404),
        (exceptions.NotAuthenticated(), errors.AuthenticationError, 401),
        (exceptions.AuthenticationFailed(), errors.AuthenticationError, 401),
        (exceptions.PermissionDenied(), errors.AuthorizationError, 403),
        (PermissionDenied(), errors.AuthorizationError, 403),
        (TooManyFieldsSent("secret"), errors.ValidationError, 422),
        (exceptions.MethodNotAllowed("PUT"), errors.ValidationError, 405),
        (exceptions.NotAcceptable(), errors.ValidationError, 406),
        (exceptions.UnsupportedMediaType("x/y"), errors.ValidationError, 415),
        (mongoengine.errors.NotUniqueError("E11000 with data"), errors.DuplicateError, 409),
        (pymongo.errors.ServerSelectionTimeoutError("10.0.0.1:27017 refused"), errors.UnavailableError, 503),
        (pymongo.errors.AutoReconnect("10.0.0.1"), errors.UnavailableError, 503),
        (pymongo.errors.NotPrimaryError("10.0.0.1"), errors.UnavailableError, 503),
        (timed_out(), errors.UnavailableError, 503),
        (OperationalError(2003, "Can't connect to 10.0.0.1"), errors.UnavailableError, 503),
        (ZeroDivisionError("secret"), errors.AppError, 500),
        (OverflowError("secret"), errors.AppError, 500),
        (exceptions.APIException("secret"), errors.AppError, 500),
        (pymongo.errors.OperationFailure("secret"), errors.AppError, 500),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exceptions_of_others(raised: Exception, kind: type[errors.AppError], status: int) -> None:
    known = errors.as_app_error(raised)
    assert (type(known), known.status) == (kind, status)
    assert known.message
    for inside in ("secret", "10.0.0.1", "E11000", "refused"):
        assert inside not in known.message + str(known.details)


def test_unavailability_says_when_to_come_back() -> None:
    assert int(errors.UnavailableError().headers["Retry-After"]) > 0


def test_a_document_that_mongoengine_refuses_names_the_field() -> None:
    with pytest.raises(mongoengine.errors.ValidationError) as caught:
        User().validate()
    known = errors.as_app_error(caught.value)
    assert known.status == 422
    assert "contact_info.primary_email" in known.details["fields"]


def test_the_unforeseen_is_logged_and_not_told(
    api: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(services, "supplier_list", fail)
    with caplog.at_level(logging.ERROR, "marketplace.errors"):
        response = ANYONE("GET", "/suppliers")
    error = answered(response, 500)
    assert error == {"code": "INTERNAL_ERROR", "message": "Internal server error"}
    [logged] = [record for record in caplog.records if record.name == "marketplace.errors"]
    assert "the secret inside" in str(logged.exc_info)


def test_mistakes_of_clients_are_not_logged_as_errors(api: None, caplog: pytest.LogCaptureFixture) -> None:
    user = new_user()
    for path in ("/nothing", "/orders/x", "/products?limit=0", "/users"):
        user("GET", path)
        ANYONE("GET", path)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
