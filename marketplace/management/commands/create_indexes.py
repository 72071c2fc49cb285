"""manage.py create_indexes: the indexes of MongoDB's collections."""

from typing import Any

from django.core.management.base import BaseCommand

from marketplace import indexes


class Command(BaseCommand):
    help = (
        "Create the indexes of all documents and of the outbox in MongoDB. Safe to repeat: what exists stays as it is. "
        "Run it at every deployment, before the new version serves; the processes themselves never create indexes."
    )

    def handle(self, **options: Any) -> None:
        collections = indexes.create()
        if options["verbosity"]:
            self.stdout.write(f"Indexes of {collections} collections are in place.")
