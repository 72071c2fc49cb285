"""The dashboard: all that the page shows of a range, out of the reports, in as few queries as they need."""

from dataclasses import dataclass

from analytics.daily import DailyOrders
from analytics.dashboard_cards import Card
from analytics.dashboard_charts import cards
from analytics.dashboard_cohorts import STRONGEST, Cohort, heat_map
from analytics.dashboard_health import Sign, signs
from analytics.dashboard_range import CUSTOM, PRESETS, Range
from analytics.dashboard_tiles import ShownTile, shown
from analytics.reports import customers, pipeline
from analytics.reports.history import History, history
from analytics.reports.pipeline import DataAsOf
from analytics.reports.report import MAX_LIMIT, Question, Report


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the page shows. `why_empty` says why there are no orders, where there are none."""

    range: Range
    as_of: DataAsOf | None
    tiles: list[ShownTile]
    cards: list[Card]
    cohorts: list[Cohort]
    signs: list[Sign]
    why_empty: str

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """The ranges that have a name: that name, its label, and whether it is the one that is shown."""
        return [(name, label, name == self.range.name) for name, label in PRESETS.items()]

    @property
    def is_custom(self) -> bool:
        """Whether the range was given by its days."""
        return self.range.name == CUSTOM

    @property
    def strongest_shade(self) -> int:
        """From how many of a hundred on a cell of the heat map has the strongest shade."""
        return round(100 * STRONGEST)

    @property
    def most_rows(self) -> int:
        """How many rows a file of a chart has at most; the chart shows the first few."""
        return MAX_LIMIT

    @property
    def reports(self) -> dict[str, Report]:
        """The reports behind what is no chart."""
        return {"cohorts": customers.COHORTS, "pipeline": pipeline.REPORT}


def dashboard(chosen: Range) -> Dashboard:
    """Return the dashboard of a range."""
    question = Question(today=chosen.today, period=chosen.period)
    found, partitions = history(chosen.period), pipeline.own(pipeline.partition_reports())
    as_of = pipeline.data_as_of(partitions)
    why_empty = _why_empty(found, as_of)
    return Dashboard(
        range=chosen,
        as_of=as_of,
        tiles=list(shown(found, customers.sign_ups(chosen.period))),
        cards=list(cards(chosen, found, question, why_empty)),
        cohorts=heat_map(customers.cohorts(question)),
        signs=list(signs(list(pipeline.rows(partitions)))),
        why_empty=why_empty,
    )


def _why_empty(found: History, as_of: DataAsOf | None) -> str:
    if found.current.placed:
        return ""
    if as_of is None:
        return "No consumer has ever run: start manage.py consume_events."
    if not DailyOrders.objects.exists():
        return "There are no orders at all yet."
    return "No orders were placed in this range."
