"""The rows that bulk.py loads: a market of any size, the same for the same seed. Values are as SQL takes them."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

Row = tuple[Any, ...]

SUPPLIERS = 200
PRODUCTS = 2000
ORDERS_PER_CUSTOMER = 4
ORDERS_PER_POST = 10
# Monday first.
WEEKDAY_WEIGHTS = (0.8, 0.75, 0.8, 0.9, 1.15, 1.6, 1.4)
LINES = (0.4, 0.7, 0.9, 1.0)  # up to so much of 1: one line, two, three, four: two on average
QUANTITIES = (0.75, 0.92, 1.0)
PRODUCTS_EXPONENT = 0.9
LOYALTY = 1.6
NEWCOMER_SHARE, NEWCOMER_DAYS = 0.25, 7
# Of the orders, in this order; the others are delivered.
CANCELLED, REFUNDED, FAILED = 0.07, 0.08, 0.09
# Of users and posts.
DELETED = 0.02
REASONS = ("Ordered by mistake", "Found it cheaper elsewhere", "Delivery takes too long", "Changed my mind", None)
CATEGORIES = (
    *("electronics", "electronics", "electronics", "fashion", "fashion", "home_garden", "home_garden", "beauty"),
    *("sports_outdoors", "food_beverage", "health_wellness", "toys_games", "books_media", "automotive", "other"),
)
# Of ten products in a row.
STATUSES = (*("active",) * 6, "draft", "draft", "out_of_stock", "discontinued")
COLOURS = ("Black", "White", "Navy", "Coral")
PHONE, AVATAR = "+1 555 0100", "https://cdn.example.com/avatar.jpg"
IMAGE = "https://cdn.example.com/product.jpg"
_COLUMNS = {
    "suppliers": "version event_id event_timestamp supplier_id email primary_phone legal_name created_at updated_at",
    "products": "version event_id event_timestamp product_id supplier_id supplier_name name category unit_type base_sku"
    " base_price_cents status view_count favorite_count purchase_count total_reviews created_at updated_at",
    "product_variants": "product_id variant_key variant_id variant_name attributes_json price_cents quantity width_cm"
    " height_cm depth_cm",
    "users": "version event_id event_timestamp user_id email display_name deleted_at created_at updated_at",
    "posts": "version event_id event_timestamp post_id post_type author_user_id author_display_name author_avatar"
    " author_type text_content view_count like_count comment_count share_count save_count engagement_rate deleted_at"
    " published_at created_at updated_at",
    "orders": "version event_id event_timestamp order_id order_number customer_user_id customer_display_name"
    " customer_email shipping_recipient_name shipping_street_1 shipping_city shipping_state shipping_zip_code"
    " shipping_country status item_count total_cents cancellation_reason cancelled_at created_at updated_at",
    "order_items": "order_id item_id product_id supplier_id product_name variant_name variant_attributes_json image_url"
    " supplier_name quantity unit_price_cents final_price_cents total_cents fulfillment_status shipped_quantity",
}

COLUMNS = {table: columns.split() for table, columns in _COLUMNS.items()}
# Where an order line has them.
QUANTITY, TOTAL = 9, 12


@dataclass(frozen=True, slots=True)
class Size:
    """How many orders, over the days before `until`, drawn from which seed."""

    orders: int
    days: int
    until: date
    seed: int = 1

    @property
    def begin(self) -> date:
        """The first day."""
        return self.until - timedelta(days=self.days)


class Product(NamedTuple):
    """What an order line copies."""

    id: str
    supplier_id: str
    supplier_name: str
    name: str
    price: int
    variants: tuple[str, ...]


class Market:
    """The rows of a market, in the order of COLUMNS. Each method gives the same rows whenever it is called."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._customers = max(size.orders // ORDERS_PER_CUSTOMER, 20)
        self._newcomers = self._customers * NEWCOMER_DAYS // size.days + 1
        days = [size.begin + timedelta(days=number) for number in range(size.days)]
        self._days = [day.isoformat() for day in days]
        self._shares = list(accumulate(WEEKDAY_WEIGHTS[day.weekday()] for day in days))
        random = self._random("products")
        self._catalogue = [_product(number, random) for number in range(PRODUCTS)]
        self._by_popularity = random.sample(self._catalogue, PRODUCTS)
        self._popularity = list(accumulate(1 / (rank + 1) ** PRODUCTS_EXPONENT for rank in range(PRODUCTS)))

    def suppliers(self) -> Iterator[Row]:
        """Yield the suppliers, all from the first day."""
        at = self._moment(0, self._random("suppliers"))
        for number in range(SUPPLIERS):
            yield *_event(at, number), _id("a", number), f"s{number}@example.com", PHONE, _supplier(number), at, at

    def products(self) -> Iterator[Row]:
        """Yield the products, all from the first day."""
        at = self._moment(0, self._random("suppliers"))
        for number, product in enumerate(self._catalogue):
            category, status = CATEGORIES[number % len(CATEGORIES)], STATUSES[number % len(STATUSES)]
            who = product.supplier_id, product.supplier_name, product.name
            kind = category, "piece", f"SKU-{number:05}", product.price, status
            yield *_event(at, number), product.id, *who, *kind, 100, 10, 0, 5, at, at

    def product_variants(self) -> Iterator[Row]:
        """Yield the variants; some are running low."""
        random = self._random("variants")
        for product in self._catalogue:
            for colour in product.variants:
                quantity = int(random.random() ** 2 * 200)
                yield product.id, colour, f"V-{colour}", colour, "[]", product.price, quantity, 10.0, 20.0, 5.0

    def users(self) -> Iterator[Row]:
        """Yield the customers, the first to sign up first."""
        random = self._random("users")
        for number in range(self._customers):
            at = self._moment(number / self._customers, random)
            deleted_at = at if random.random() < DELETED else None
            yield *_event(at, number), _id("c", number), f"u{number}@example.com", f"User {number}", deleted_at, at, at

    def posts(self) -> Iterator[Row]:
        """Yield published posts, the oldest first."""
        random = self._random("posts")
        posts = self._size.orders // ORDERS_PER_POST
        for number in range(posts):
            at, author = self._moment(number / posts, random), self._customer(number / posts, random)
            views = int(random.lognormvariate(6, 1.2))
            likes, few = int(views * random.lognormvariate(-3.3, 0.6)), int(views * random.random() / 100)
            deleted_at = at if random.random() < DELETED else None
            text = "text", _id("c", author), f"User {author}", AVATAR, "user", "Three months in, and still learning."
            yield (
                *_event(at, number),
                _id("e", number),
                *text,
                views,
                likes,
                few,
                few,
                few,
                0.04,
                deleted_at,
                at,
                at,
                at,
            )

    def orders(self) -> Iterator[tuple[Row, list[Row]]]:
        """Yield each order with its lines, the oldest first."""
        random = self._random("orders")
        for number in range(self._size.orders):
            yield self._order(number, random)

    def _order(self, number: int, random: Random) -> tuple[Row, list[Row]]:
        position = number / self._size.orders
        at, customer = self._moment(position, random), self._customer(position, random)
        order_id, status = _id("d", number), _status(random.random())
        lines = [self._line(order_id, item, random) for item in range(bisect(LINES, random.random()) + 1)]
        reason = random.choice(REASONS) if status == "cancelled" else None
        cancelled_at = at if status == "cancelled" else None
        name = f"User {customer}"
        who = f"ORD-{number:09}", _id("c", customer), name, f"u{customer}@example.com"
        where = name, "1 High Street", "Boston", "MA", "02116", "US"
        sums = sum(line[QUANTITY] for line in lines), sum(line[TOTAL] for line in lines)
        return (*_event(at, number), order_id, *who, *where, status, *sums, reason, cancelled_at, at, at), lines

    def _line(self, order_id: str, item: int, random: Random) -> Row:
        product = self._by_popularity[bisect(self._popularity, random.random() * self._popularity[-1])]
        variant = random.choice(product.variants) if product.variants else None
        quantity = bisect(QUANTITIES, random.random()) + 1
        what = product.id, product.supplier_id, product.name, variant, "{}", IMAGE, product.supplier_name
        cents = product.price, product.price, product.price * quantity
        return (order_id, f"item_{item + 1}", *what, quantity, *cents, "pending", 0)

    def _customer(self, position: float, random: Random) -> int:
        """Return who acts at a position of the whole, of those who have signed up: often one who just has."""
        present = max(int(position * self._customers), 1)
        if random.random() < NEWCOMER_SHARE:
            return present - 1 - int(random.random() * min(self._newcomers, present))
        return int(present * random.random() ** LOYALTY)

    def _moment(self, position: float, random: Random) -> str:
        """Return the time at a position of the whole, 0 to 1: busy days take more of it."""
        day = self._days[bisect(self._shares, position * self._shares[-1])]
        second = int(random.random() * 86_400)
        return f"{day} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000"

    def _random(self, what: str) -> Random:
        return Random(f"{self._size.seed}:{what}")


def _product(number: int, random: Random) -> Product:
    supplier = int(SUPPLIERS * random.random() ** 2)  # the first have more
    price = int(random.lognormvariate(8.2, 0.9)) + 100
    variants = COLOURS[: random.randrange(len(COLOURS) + 1)]
    return Product(_id("b", number), _id("a", supplier), _supplier(supplier), f"Product {number}", price, variants)


def _supplier(number: int) -> str:
    return f"Supplier {number} Ltd"


def _status(chance: float) -> str:
    statuses = (("cancelled", CANCELLED), ("refunded", REFUNDED), ("failed", FAILED))
    return next((status for status, up_to in statuses if chance < up_to), "delivered")


def _event(at: str, number: int) -> Row:
    return 1, f"00000000-0000-4000-8000-{number:012x}", at


def _id(kind: str, number: int) -> str:
    return f"{kind}{number:023x}"
