"""The catalog app: suppliers and products."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        """Register documents and event types."""
        from catalog import documents, events  # noqa: F401, PLC0415  # models are not ready when this module is imported
