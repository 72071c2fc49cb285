"""manage.py create_indexes: the indexes of MongoDB's collections."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError

from marketplace import indexes
from marketplace.doctor.failures import first_line


class Command(BaseCommand):
    help = (
        "Create the indexes of all documents and of the outbox in MongoDB. Safe to repeat: what exists stays as it is. "
        "Run it at every deployment, before the new version serves; the processes themselves never create indexes."
    )

    def handle(self, **options: Any) -> None:
        try:
            collections = indexes.create()
        except PyMongoError as error:
            advice = (
                "manage.py doctor --only mongodb names indexes that are other than declared, or why it does not answer"
            )
            raise CommandError(f"{first_line(error)}. {advice}; then run this again.") from error
        if options["verbosity"]:
            self.stdout.write(f"Indexes of {collections} collections are in place.")
