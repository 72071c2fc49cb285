"""Answers to requests that never reach a view of the API: unknown URLs, bad hosts, errors around the views."""

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import page_not_found

from marketplace.errors import AppError, NotFoundError, UnavailableError, ValidationError, as_app_error, envelope
from marketplace.representation import to_json


def error_response(error: AppError, status: int | None = None) -> HttpResponse:
    """Return the error's envelope, by default with its own status."""
    body = to_json(envelope(error.code, error.message, error.details))
    return HttpResponse(body, status=status or error.status, content_type="application/json", headers=error.headers)


@csrf_exempt
def unknown_url(request: HttpRequest) -> HttpResponse:
    """Answer a URL that nothing else serves."""
    return error_response(NotFoundError(f"Nothing is served at {request.path}"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what has no URL at all, as `OPTIONS *`, and rows that the admin does not find."""
    return page_not_found(request, exception) if request.path_info.startswith("/admin/") else unknown_url(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django's signature
    """Answer what Django refuses before any view, as a bad Host header."""
    reason = "The Host header names no host of this API" if isinstance(exception, DisallowedHost) else None
    return error_response(ValidationError(reason or "The request is not acceptable"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer an error outside of DRF, without any of its details: 503 when a database is away, as in the admin."""
    error = sys.exception()
    known = as_app_error(error) if isinstance(error, Exception) else None
    return error_response(known if isinstance(known, UnavailableError) else AppError())
