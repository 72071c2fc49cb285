"""The OpenAPI document as a whole: what no single route tells, and its text, made once per process."""

import functools
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from marketplace.api.openapi import headers, problems, security
from marketplace.api.openapi.tags import tags

Document = dict[str, Any]
RENDERERS = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}

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
    rendered = RENDERERS[kind]().render(document())
    return rendered.encode() if isinstance(rendered, str) else rendered
