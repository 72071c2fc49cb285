"""What schemathesis's checks take for a fault and the specification wants so. Each rule as narrow as it can be."""

import re

from schemathesis import Case, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

from tests.dotted import at

# Operation, field and message of a refusal (422) that no schema can tell: what is stored decides.
_BY_STATE = [
    (r"POST /orders", r"items\.\d+\.product_id", "No active product has this id."),
    (r"POST /orders", r"items\.\d+\.variant_name", "The product has no such variant."),
    (r"POST /orders", r"Idempotency-Key", "This key was sent with another body before."),
    (r"POST /products", r"supplier_id", "No such supplier."),
    (r"GET /\w+", r"cursor", "Not a cursor of this list with these filters."),
    (r"GET /\w+", r"cursor", "Not together with skip."),
]
# What is between two parameters, or between one and today.
_BY_RANGE = re.compile(
    r"There is nothing before \S+\.|The end must be after the start; .+|These are more than \d+ days\."
)
# Messages of rules that the document tells in words: their patterns would be lists of countries or of all Unicode.
_BY_WORDS = {
    "Not an ISO 3166-1 alpha-2 country code.",
    "Not an IANA time zone.",
    "Null characters are not allowed.",
    "Enter a valid URL.",
    "Enter a valid email address.",
}
# Texts and keys of blanks are empty, trimmed; minLength covers those that are empty as they come.
_BLANK = "This field may not be blank."
_BLANK_KEY = "A key has 1 to 200 characters."


def is_expected(failure: Failure, case: Case, response: Response) -> bool:
    """Whether the answer is as the specification says, though a check failed."""
    return isinstance(failure, RejectedPositiveData) and _is_refused_by_rule(case, response)


def _is_refused_by_rule(case: Case, response: Response) -> bool:
    """Whether a request that the schema allows breaks a rule that a schema cannot tell."""
    error = response.json()["error"]
    if error["code"] == "INVALID_TOKEN":
        return case.operation.label == "POST /auth/refresh"
    fields = error.get("details", {}).get("fields", {})
    return bool(fields) and all(_has_rule(case, path, text) for path, texts in fields.items() for text in texts)


def _has_rule(case: Case, path: str, message: str) -> bool:
    if message == _BLANK:
        return bool(at(case.body, path))
    if message == _BLANK_KEY:
        return path.rpartition(".")[2].isspace()
    if path in ("start", "end") and _BY_RANGE.fullmatch(message):
        return case.operation.label.startswith("GET /reports/")
    return message in _BY_WORDS or any(
        message == text and re.fullmatch(operation, case.operation.label) and re.fullmatch(field, path)
        for operation, field, text in _BY_STATE
    )
