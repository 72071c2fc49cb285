"""manage.py create_indexes: the indexes of MongoDB's collections."""

from typing import Any

from django.core.management.base import BaseCommand

from marketplace import mongo
from marketplace.api import counters, idempotency
from marketplace.auth import refresh
from marketplace.events import outbox


class Command(BaseCommand):
    help = (
        "Create the indexes of all documents and of the outbox in MongoDB. Safe to repeat: what exists stays as it is. "
        "Run it at every deployment, before the new version serves; the processes themselves never create indexes."
    )

    def handle(self, **options: Any) -> None:
        documents = list(mongo.document_classes())
        outbox.create_indexes()
        counters.create_indexes()
        idempotency.create_indexes()
        refresh.create_indexes()
        mongo.create_indexes(documents)
        if options["verbosity"]:
            self.stdout.write(f"Indexes of {len(documents)} collections and the outbox are in place.")
