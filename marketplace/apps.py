"""The project's own Django app: connects the signal hook, and MongoDB where it is configured."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from marketplace import mongo


class MarketplaceConfig(AppConfig):
    name = "marketplace"

    def ready(self) -> None:
        if settings.TRACES_ENDPOINT and not find_spec("opentelemetry"):
            raise ImproperlyConfigured("TRACES_ENDPOINT is set, but requirements/tracing.txt is not installed.")
        import_module("marketplace.events.outbox")  # registers the receiver of `domain_event`
        import_module("marketplace.checks")
        if settings.MONGODB_URL:
            mongo.connect()
