"""Writes that go on in the background, through the services, while a test does something else."""

import random
import threading
import uuid
from typing import Any, Self

from catalog import services as catalog
from catalog.documents import Product, Supplier
from content import services as content
from content.documents import Post
from marketplace.callers import SYSTEM, Caller
from tests.waiting import until
from users import services as users
from users.documents import User

PAUSE_SECONDS = 0.05


class Writer(threading.Thread):
    """Changes, creates and deletes documents of all kinds, for the length of a `with` block.

    No faster than everybody can follow.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stop_asked = threading.Event()
        self._chance = random.Random(1)
        self.writes = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop_asked.set()
        self.join()

    def wait_for(self, number: int) -> None:
        """Wait until so many more writes are done."""
        goal = self.writes + number
        until(lambda: self.writes >= goal, what=f"{number} more writes")

    def run(self) -> None:
        steps = (self._user, self._post, self._product, self._supplier)
        while not self._stop_asked.wait(PAUSE_SECONDS):
            self._chance.choice(steps)()
            self.writes += 1

    def _one(self, document: Any, **query: Any) -> str:
        found = list(document.collection().aggregate([{"$match": query}, {"$sample": {"size": 1}}]))
        return str(found[0]["_id"])

    def _user(self) -> None:
        identifier = self._one(User, deleted_at=None)
        users.user_update(caller=SYSTEM, identifier=identifier, changes={"profile.bio": str(self.writes)})

    def _post(self) -> None:
        identifier = self._one(Post, deleted_at=None)
        if self.writes % 20:
            content.post_update(caller=SYSTEM, identifier=identifier, changes={"text_content": str(self.writes)})
        else:
            content.post_delete(caller=SYSTEM, identifier=identifier)
            author = Caller("user", self._one(User, deleted_at=None))
            content.post_create(caller=author, changes={"post_type": "text", "text_content": "instead"})

    def _product(self) -> None:
        identifier = self._one(Product, status={"$ne": "deleted"})
        catalog.product_update(caller=SYSTEM, identifier=identifier, changes={"base_price_cents": self.writes})

    def _supplier(self) -> None:
        made = catalog.supplier_create(changes=self._supplier_changes(), password=None)
        if self.writes % 2:
            catalog.supplier_delete(caller=SYSTEM, identifier=str(made["_id"]))

    def _supplier_changes(self) -> dict[str, Any]:
        like = Supplier.from_stored(Supplier.collection().find_one({}))
        like.contact_info.primary_email = f"{uuid.uuid4().hex}@example.com"
        return {"contact_info": like.contact_info, "company_info": like.company_info}
