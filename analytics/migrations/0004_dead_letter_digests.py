"""Dead letters are told apart by their bytes, too. The old unique key goes last, so there is one at any time."""

from typing import Any

from django.db import migrations, models

import analytics.fields
from analytics.bookkeeping import message_digest

PORTION = 20  # a letter may be as large as an event


def fill(apps: Any, _: Any) -> None:
    """Compute the digests of the letters that are there."""
    letters = apps.get_model("analytics", "DeadLetter").objects
    last = 0
    while portion := list(letters.filter(pk__gt=last).order_by("pk").values_list("pk", "key", "value")[:PORTION]):
        for last, *message in portion:
            digest = message_digest(*(None if raw is None else bytes(raw) for raw in message))
            letters.filter(pk=last).update(digest=digest)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_rebuild_positions")]

    operations = [
        migrations.AddField(
            model_name="deadletter",
            name="digest",
            field=analytics.fields.KeyField(db_default="", default="", max_length=64),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.UniqueConstraint(
                fields=("cluster_id", "topic", "partition", "offset", "digest"), name="dead_letters_message_digest"
            ),
        ),
        migrations.RemoveConstraint(model_name="deadletter", name="dead_letters_message"),
    ]
