"""How the dashboard shows the numbers at its top: the change against the period before, and the course of the days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.dashboard_values import text
from analytics.reports.customers import SignUps
from analytics.reports.history import History
from analytics.reports.tiles import Tile, tiles

# What counts as bad news when it rises.
_LESS_IS_BETTER: Final = {"cancellation_rate"}
# A change that is shown as 0.0 has no direction.
_SMALLEST: Final = 0.0005
# From here on the percentage says nothing any more: there was next to nothing before.
_LARGEST: Final = 20
WIDTH: Final = 120
HEIGHT: Final = 28


@dataclass(frozen=True, slots=True)
class ShownTile:
    """A tile as the template shows it; `course` is its value of each day."""

    tile: Tile
    course: Sequence[float]

    @property
    def value(self) -> str:
        """The value for people."""
        return text(self.tile.kind, self.tile.value)

    @property
    def previous(self) -> str:
        """The value of the period before."""
        return text(self.tile.kind, self.tile.previous)

    @property
    def difference(self) -> float | None:
        """The change: of a ratio in points, else as a fraction of what was before; None where neither can be said."""
        tile = self.tile
        if tile.kind != "ratio" or tile.value is None or tile.previous is None:
            return tile.change
        return tile.value - tile.previous

    @property
    def change(self) -> str:
        """The change for people, without its direction."""
        if self.difference is None:
            return "no comparison"
        if self.direction == "same":
            return "unchanged"
        if self.difference > _LARGEST:
            return f"more than {_LARGEST}-fold"
        return f"{abs(100 * self.difference):,.1f} {'points' if self.tile.kind == 'ratio' else '%'}"

    @property
    def direction(self) -> str:
        """`up`, `down`, `same`, or `unknown`."""
        if self.difference is None:
            return "unknown"
        if abs(self.difference) < _SMALLEST:
            return "same"
        return "up" if self.difference > 0 else "down"

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or nothing."""
        if self.direction not in ("up", "down"):
            return ""
        return "better" if (self.direction == "up") != (self.tile.name in _LESS_IS_BETTER) else "worse"

    @property
    def points(self) -> str:
        """The course as the points of an SVG polyline, WIDTH by HEIGHT; empty when there is no line to draw."""
        if len(self.course) < 2 or not any(self.course):  # noqa: PLR2004  # two points make a line
            return ""
        step, scale = WIDTH / (len(self.course) - 1), (HEIGHT - 2) / max(self.course)
        return " ".join(
            f"{number * step:.1f},{HEIGHT - 1 - value * scale:.1f}" for number, value in enumerate(self.course)
        )


def shown(found: History, sign_ups: SignUps) -> Iterator[ShownTile]:
    """Yield the tiles of the history's period, each with what it was on the days."""
    days = list(found.period.days())
    for tile in tiles(found, sign_ups.sums):
        of_orders = [getattr(found.days[day], tile.name, None) or 0 for day in days]
        yield ShownTile(tile, [sign_ups.by_day.get(day, 0) for day in days] if tile.name == "new_users" else of_orders)
