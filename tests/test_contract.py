"""The check that all API tests make of their answers does see what is wrong."""

import pytest
from django.http import HttpResponse, JsonResponse

from tests import contract
from tests.contract import Json

HEADERS = {"X-Request-ID": "x"}
GOOD = {"status": "ok"}


def answer(body: Json, status: int = 200, **headers: str) -> HttpResponse:
    return JsonResponse(body, status=status, headers=HEADERS | headers, safe=False)


def test_an_answer_as_in_the_document_passes() -> None:
    contract.check("GET", "/health", answer(GOOD))
    contract.check("GET", "/health/", answer(GOOD))
    contract.check("GET", "/nothing", answer("anything"))
    contract.check("PUT", "/health", answer("anything"))


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (answer(GOOD, 201), "has no 201"),
        (answer({}), "required property"),
        (answer(GOOD | {"more": 1}), "Additional properties"),
        (answer({"status": "fine"}), "is not one of"),
        (answer({"error": {"code": "FORBIDDEN", "message": "x"}}, 406), "has no FORBIDDEN"),
        (JsonResponse(GOOD), "without X-Request-ID"),
        (HttpResponse(b"{}", content_type="text/plain", headers=HEADERS), "text/plain"),
    ],
)
def test_other_answers_fail(response: HttpResponse, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        contract.check("GET", "/health", response)


def test_a_body_where_none_belongs_fails() -> None:
    response = HttpResponse(b"x", status=204, headers=HEADERS | {"RateLimit": "x"})
    with pytest.raises(AssertionError, match="has no body"):
        contract.check("DELETE", "/users/000000000000000000000000", response)
