"""manage.py seed: the demo accounts."""

from collections.abc import Iterator

from demo import people, suppliers
from demo.command import DemoCommand
from demo.generation import Demand, Item


class Command(DemoCommand):
    help = (
        "Create the demo user john@example.com and the demo suppliers; he and the first of them, supplier@demo.example,"
        " have the password password123. What exists is skipped. For demonstrations and development: never run it where"
        " strangers can log in."
    )
    what = "accounts"
    counted = "suppliers"
    default_count = 30

    def items(self, demand: Demand) -> Iterator[Item]:
        """Return the user and the suppliers."""
        yield people.john(demand.until)
        yield from suppliers.items(demand)
