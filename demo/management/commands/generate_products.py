"""manage.py generate_products: products of the demo suppliers."""

from collections.abc import Iterable

from django.core.management import CommandError

from demo import products, suppliers
from demo.command import DemoCommand
from demo.generation import Demand, Item


class Command(DemoCommand):
    help = (
        "Create products in all categories for the suppliers that `seed` made: of ten, six active, two drafts, one out"
        " of stock, one discontinued. What exists is skipped."
    )
    what = "products"
    default_count = 50

    def items(self, demand: Demand) -> Iterable[Item]:
        """Return the products. Raises CommandError when there are no demo suppliers."""
        owners = suppliers.seeded()
        if not owners:
            raise CommandError("There are no demo suppliers. Run `manage.py seed` first.")
        return products.items(demand, owners)
