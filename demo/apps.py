"""The demo app: made-up accounts, products, posts and orders. Uses the other apps' services, none of them uses it."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
