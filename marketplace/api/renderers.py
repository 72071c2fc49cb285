"""Answers: JSON by orjson, and DRF's browsable API around it."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

from marketplace.representation import to_json


class OrjsonRenderer(BaseRenderer):
    """Renders shaped documents and plain values as UTF-8 JSON."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON has no charset parameter

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  # DRF's signature
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return to_json(data, indented="indent" in (renderer_context or {}))


class BrowsableRenderer(BrowsableAPIRenderer):
    """The browsable API. Its forms are JSON texts with an example of every field that the route takes."""

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Only delete has an HTML form; bodies are JSON."""
        return super().get_rendered_html_form(data, view, method, request) if method == "DELETE" else None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        """Lists have query parameters, not DRF's filter backends."""
