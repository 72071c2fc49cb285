"""The group "analyst": who is in it sees tables and dashboard, exports, and settles dead letters.

Seeded once; what an administrator makes of it later stays, and so does a group that had this name before.
"""

from typing import Any

from django.db import migrations

GROUP = "analyst"
TABLES = {
    "user": "user",
    "supplier": "supplier",
    "product": "product",
    "productvariant": "product variant",
    "order": "order",
    "orderitem": "order item",
    "post": "post",
    "deadletter": "dead letter",
}
DESK = {
    "view_dashboard": "Can see the dashboard",
    "export": "Can export tables and charts as CSV",
    "manage_dead_letters": "Can retry and discard dead letters",
}


def seed(apps: Any, editor: Any) -> None:
    """Make the group, and the permissions it has: Django itself makes those only after the last migration."""
    group, is_new = _objects(apps, editor, "auth", "Group").get_or_create(name=GROUP)
    if not is_new:
        return
    granted = [("desk", codename, name) for codename, name in DESK.items()]
    granted += [(model, f"view_{model}", f"Can view {name}") for model, name in TABLES.items()]
    group.permissions.add(*(_permission(apps, editor, *one) for one in granted))


def _objects(apps: Any, editor: Any, app: str, model: str) -> Any:
    return apps.get_model(app, model).objects.using(editor.connection.alias)


def _permission(apps: Any, editor: Any, model: str, codename: str, name: str) -> Any:
    kinds = _objects(apps, editor, "contenttypes", "ContentType")
    kind, _ = kinds.get_or_create(app_label="analytics", model=model)
    permissions = _objects(apps, editor, "auth", "Permission")
    return permissions.get_or_create(content_type=kind, codename=codename, defaults={"name": name})[0]


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_daily_tables"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
