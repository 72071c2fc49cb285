"""The users app: users, their accounts and profiles."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        """Register documents and event types."""
        from users import documents, events  # noqa: F401, PLC0415  # models are not ready when this module is imported
