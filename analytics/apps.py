"""The analytics app: SQL tables that follow the domain events, for analysts and the admin."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Analytics"
