"""The orders app: orders and stock."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        """Register documents and event types."""
        from orders import documents, events  # noqa: F401, PLC0415  # models are not ready when this module is imported
