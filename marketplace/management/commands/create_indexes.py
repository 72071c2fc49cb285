"""manage.py create_indexes: the indexes of MongoDB's collections."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from marketplace import mongo
from marketplace.events import outbox


class Command(BaseCommand):
    help = (
        "Create the indexes of all documents and of the outbox in MongoDB. Safe to repeat: what exists stays as it is. "
        "Run it at every deployment, before the new version serves; the processes themselves never create indexes."
    )

    def handle(self, **options: Any) -> None:
        documents = list(concrete(mongo.Document))
        mongo.create_indexes(documents)
        outbox.create_indexes()
        if options["verbosity"]:
            self.stdout.write(f"Indexes of {len(documents)} collections and the outbox are in place.")


def concrete(base: type[mongo.Document]) -> Iterator[type[mongo.Document]]:
    """Yield the document classes below `base` that have a collection of their own."""
    for document in base.__subclasses__():
        if not document._meta.get("abstract"):
            yield document
        yield from concrete(document)
