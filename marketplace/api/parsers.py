"""Request bodies: JSON by orjson."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from marketplace.api.renderers import OrjsonRenderer
from marketplace.errors import ValidationError


class OrjsonParser(BaseParser):
    """Reads a UTF-8 JSON body; an empty one is an empty object. Raises ValidationError when it is malformed."""

    media_type = "application/json"
    renderer_class = OrjsonRenderer  # the browsable API's forms

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002  # DRF's signature
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            body = stream.read()
        except OSError as error:
            raise ParseError("The body ended early") from error
        # The server takes the end of a connection for the end of the body; one without any byte would pass for `{}`.
        # There may be no length at all: DRF takes a header `Content_Length` for one and calls this.
        if parser_context and len(body) < int(parser_context["request"].META.get("CONTENT_LENGTH", 0)):
            raise ParseError("The body ended early")
        try:
            value = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError as error:
            raise ValidationError(f"Malformed JSON: {error}") from error
        # As many brackets as that can't be nested deeper.
        if body.count(b"[") + body.count(b"{") > settings.MAX_NESTING and _depth(value) > settings.MAX_NESTING:
            raise ValidationError(f"Arrays and objects are nested more than {settings.MAX_NESTING} deep")
        return value


def _depth(value: Any) -> int:
    """Return how deep arrays and objects are nested, without recursion."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth
