"""The OpenAPI document as a whole: what no single route tells, and its text, made once per process."""

import functools
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from marketplace.api.openapi import headers, problems, security
from marketplace.api.openapi.tags import tags
from marketplace.representation import to_json

Document = dict[str, Any]

DESCRIPTION = """\
A social-commerce marketplace: users write posts and buy, suppliers sell products.

**Callers.** Sign up with `POST /users` or `POST /suppliers`, log in with `POST /auth/token`, and send the access
token as `Authorization: Bearer ...`. What you may not see is not found (404), what you see but may not change is
forbidden (403). Missing credentials where some are needed answer 401; bad ones do everywhere.

**Values.** Times are ISO 8601 in UTC with milliseconds and `Z`. Money is in cents. Every field of an answer is always
there; it is null where there is nothing to tell. Unknown fields of a request are ignored, and so are unknown
parameters.

**Changes.** Every resource has a `version`, which is its ETag as well. Send it with a change, as `If-Match` or in the
body, and nobody's change in between is overwritten: 409 `VERSION_CONFLICT`. Every change sends an event to Kafka,
whose names the operations tell.

**Lists** answer an array. Read on with the URL in the `Link` header, which costs the same at any depth.

**Errors** all have one form: `{"error": {"code", "message", "details"}}`. The code is for programs.
"""

_ID = {
    "in": "path",
    "name": "id",
    "required": True,
    "description": "The resource's id. One that is malformed answers 404 as an unknown one does.",
    "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"},
    "example": "65f0c0ffee0123456789abcd",
}


def complete(result: Document, **_: Any) -> Document:
    """Add what all routes share (a postprocessing hook of drf-spectacular)."""
    components = result["components"]
    components["schemas"] = dict(sorted((components["schemas"] | problems.error_schemas()).items()))
    components["headers"] = headers.answer_components()
    components["parameters"] = headers.parameter_components() | {"Id": _ID}
    components["securitySchemes"] = security.schemes()
    result["info"]["description"] = DESCRIPTION
    return result | {"servers": [{"url": "/", "description": "The host that serves this document."}], "tags": tags()}


def document() -> Document:
    """Return the document, with identity headers only if TRUST_IDENTITY_HEADERS is on."""
    generated: Document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return generated


def text(kind: str) -> bytes:
    """Return the document as `json` or `yaml`; it is made once and kept."""
    return _text(kind, settings.TRUST_IDENTITY_HEADERS)


@functools.cache
def _text(kind: str, trusting: bool) -> bytes:  # noqa: FBT001, ARG001  # what the document depends on
    if kind == "json":
        return to_json(document())
    rendered: bytes = OpenApiYamlRenderer().render(document())  # type: ignore[no-untyped-call]
    return rendered
