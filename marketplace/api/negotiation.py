"""Which renderer answers: JSON unless the client asks for something else."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_JSON = frozenset({"", "*/*", "application/json", "application/json, */*"})


class JsonFirstNegotiation(DefaultContentNegotiation):
    """DRF's rules, with a short way for what API clients send: the first renderer, where that is JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        offered = list(renderers)
        if request.META.get("HTTP_ACCEPT", "") in _JSON and offered[0].media_type == "application/json":
            return offered[0], "application/json"
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, offered, format_suffix)
        return chosen
