"""The group of analysts, as its migration seeds it."""

import importlib

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection

seed = importlib.import_module("analytics.migrations.0006_analyst_group").seed


def analysts() -> Group:
    """Return the group; another test may have emptied the table since the migration."""
    seed(apps, type("Editor", (), {"connection": connection}))
    return Group.objects.get(name="analyst")
