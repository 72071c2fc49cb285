"""Roll-up tables: what the dashboard and the reports read instead of orders, customers and posts.

Derived from the analytics tables and never newer or older than they: whoever writes a row replaces, in the same
transaction, what it contributes here (`rollups.py`). Days are those of UTC. "Counted" orders are those that revenue
counts: not cancelled, failed or refunded.
"""

from datetime import date
from typing import Final

from django.db import models

from analytics.fields import ID_LENGTH, KeyField

# Order statuses that revenue leaves out (SPEC section 6).
UNCOUNTED: Final = ("cancelled", "failed", "refunded")
# Tiers of posts, the highest first: so many views for each like at the most; the others are low (SPEC section 6). Whole
# numbers, because 7 of 70 is less than a tenth in floats.
TIERS: Final = (("viral", 10), ("high", 20), ("medium", 50))
LOW: Final = "low"
# Stands for "no day before" in a key, where no column may be null: the first day that MySQL promises to hold.
NEVER: Final = date(1000, 1, 1)


def tier_of(views: int, likes: int) -> str:
    """Return the tier of a published post."""
    return next((tier for tier, per_like in TIERS if 0 < views <= likes * per_like), LOW)


class RollUp(models.Model):
    """A sum for a key. A key whose sums are all zero has no row."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class DailyOrders(RollUp):
    """All orders by the day they were placed and their status now."""

    pk = models.CompositePrimaryKey("day", "status")
    day = models.DateField()
    status = KeyField(max_length=20)
    orders = models.BigIntegerField()
    units = models.BigIntegerField()
    total_cents = models.BigIntegerField()

    class Meta:
        db_table = "daily_orders"


class DailySales(RollUp):
    """Lines of counted orders by day, product and variant; the variant's key is empty for lines without one."""

    pk = models.CompositePrimaryKey("day", "product_id", "variant_key")
    day = models.DateField()
    product_id = KeyField(max_length=ID_LENGTH)
    variant_key = KeyField(max_length=200)
    lines = models.BigIntegerField()
    quantity = models.BigIntegerField()
    revenue_cents = models.BigIntegerField()

    class Meta:
        db_table = "daily_sales"
        indexes = [models.Index(fields=["product_id", "day"], name="daily_sales_product_day")]


class DailySupplierSales(RollUp):
    """Counted orders by day and supplier: an order with lines of two suppliers is an order of both."""

    pk = models.CompositePrimaryKey("day", "supplier_id")
    day = models.DateField()
    supplier_id = KeyField(max_length=ID_LENGTH)
    orders = models.BigIntegerField()
    items_sold = models.BigIntegerField()
    revenue_cents = models.BigIntegerField()

    class Meta:
        db_table = "daily_supplier_sales"


class DailyCancellations(RollUp):
    """Cancelled orders by the day they were placed and the reason given; empty for none."""

    pk = models.CompositePrimaryKey("day", "reason")
    day = models.DateField()
    reason = KeyField(max_length=500)
    orders = models.BigIntegerField()

    class Meta:
        db_table = "daily_cancellations"


class CustomerDay(RollUp):
    """Counted orders of a customer on a day."""

    pk = models.CompositePrimaryKey("customer_user_id", "day")
    customer_user_id = KeyField(max_length=ID_LENGTH)
    day = models.DateField()
    orders = models.BigIntegerField()
    revenue_cents = models.BigIntegerField()

    class Meta:
        db_table = "customer_days"
        indexes = [models.Index(fields=["day"], name="customer_days_day")]


class Customer(RollUp):
    """A customer with the day of the first counted order; null when none counts any more.

    Unlike other roll-ups the row stays: it is the lock that two writers of one customer's orders take turns on.
    """

    customer_user_id = KeyField(max_length=ID_LENGTH, primary_key=True)
    first_day = models.DateField(null=True)

    class Meta:
        db_table = "customers"
        indexes = [models.Index(fields=["first_day"], name="customers_first_day")]


class DailyBuyers(RollUp):
    """Customers with a counted order on a day, by the day of their order before that; NEVER for none.

    The distinct buyers of any range are those of its days whose previous day lies before the range: a customer counts
    on the first day within it.
    """

    pk = models.CompositePrimaryKey("day", "previous_day")
    day = models.DateField()
    previous_day = models.DateField()
    customers = models.BigIntegerField()

    class Meta:
        db_table = "daily_buyers"


class MonthlyCohorts(RollUp):
    """Customers by the month of their first counted order (its first day) and a month in which they ordered."""

    pk = models.CompositePrimaryKey("cohort", "month")
    cohort = models.DateField()
    month = models.DateField()
    customers = models.BigIntegerField()

    class Meta:
        db_table = "monthly_cohorts"


class DailyUsers(RollUp):
    """Users by the day they signed up, and how many of them are deleted by now."""

    day = models.DateField(primary_key=True)
    sign_ups = models.BigIntegerField()
    deleted = models.BigIntegerField()

    class Meta:
        db_table = "daily_users"


class DailyPosts(RollUp):
    """Posts by the day they were published (drafts: made), what they are now, and for published ones their tier.

    The tier follows from likes by views (`tier_of`).
    """

    PUBLISHED: Final = "published"
    DRAFT: Final = "draft"
    DELETED: Final = "deleted"

    pk = models.CompositePrimaryKey("day", "state", "tier")
    day = models.DateField()
    state = KeyField(max_length=10)
    tier = KeyField(max_length=10)
    posts = models.BigIntegerField()
    views = models.BigIntegerField()
    likes = models.BigIntegerField()
    interactions = models.BigIntegerField()

    class Meta:
        db_table = "daily_posts"
