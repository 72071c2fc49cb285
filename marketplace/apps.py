"""The project's own Django app: connects the signal hook, and MongoDB where it is configured."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from marketplace import mongo


class MarketplaceConfig(AppConfig):
    name = "marketplace"

    def ready(self) -> None:
        import_module("marketplace.events.outbox")  # registers the receiver of `domain_event`
        import_module("marketplace.checks")
        if settings.MONGODB_URL:
            mongo.connect()
