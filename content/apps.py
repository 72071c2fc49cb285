"""The content app: posts."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "content"

    def ready(self) -> None:
        """Register documents and event types."""
        from content import documents, events  # noqa: F401, PLC0415  # models are not ready when this module is imported
