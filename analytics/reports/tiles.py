"""The numbers at the top of the dashboard: those of a period and of the equal one before, and how they change."""

from dataclasses import dataclass
from typing import Final

from analytics.reports.arithmetic import ratio
from analytics.reports.history import History
from analytics.reports.report import Kind


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its definition. It is null where it would be divided by zero."""

    name: str
    title: str
    definition: str
    kind: Kind
    value: float | None
    previous: float | None

    @property
    def change(self) -> float | None:
        """The growth as a fraction of the previous number; None where there is nothing to compare with."""
        if self.value is None or self.previous is None:
            return None
        return ratio(self.value - self.previous, self.previous)


# Name, title, kind and definition.
TILES: Final[tuple[tuple[str, str, Kind, str], ...]] = (
    (
        "revenue_cents",
        "Revenue",
        "cents",
        "The sum of the totals of orders that are not cancelled, failed or refunded.",
    ),
    ("orders", "Orders", "count", "How many orders were placed that are not cancelled, failed or refunded."),
    ("average_order_cents", "Average order value", "cents", "Revenue divided by these orders, rounded half up."),
    ("buyers", "Buyers", "count", "How many different customers placed these orders."),
    ("cancellation_rate", "Cancellation rate", "ratio", "Orders that are cancelled now, divided by all orders placed."),
    ("new_users", "New users", "count", "How many users signed up, those who are deleted since included."),
)


def tiles(history: History, sign_ups: tuple[int, int]) -> tuple[Tile, ...]:
    """Return the tiles of the history's period. `sign_ups` are those of the period and of the one before."""
    return tuple(Tile(name, title, text, kind, *_values(name, history, sign_ups)) for name, title, kind, text in TILES)


def _values(name: str, history: History, sign_ups: tuple[int, int]) -> tuple[float | None, float | None]:
    return sign_ups if name == "new_users" else (getattr(history.current, name), getattr(history.previous, name))
