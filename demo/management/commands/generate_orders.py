"""manage.py generate_orders: orders of demo users."""

from collections.abc import Iterable

from django.core.management import CommandError

from demo import orders
from demo.command import DemoCommand
from demo.generation import Demand, Item


class Command(DemoCommand):
    help = (
        "Create orders over the last 90 days, growing in number, with most at week-ends and in the evening; a few are"
        " cancelled. What sells out is restocked, but not in the last ten days. Customers are created on the way; many"
        " have just signed up, others come back. What exists is skipped."
    )
    what = "orders"
    default_count = 400

    def items(self, demand: Demand) -> Iterable[Item]:
        """Return the orders, oldest first. Raises CommandError when there is nothing to buy."""
        found = orders.on_sale()
        if not found:
            raise CommandError("There are no active products. Run `manage.py seed` and `generate_products` first.")
        return orders.items(demand, found)
