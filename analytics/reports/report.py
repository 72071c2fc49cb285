"""What a report is: a question, columns with their definitions, and the function that answers with rows.

API, CSV and dashboard all take reports from here, so a number is the same wherever it is seen.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from analytics.reports.periods import DEFAULT_DAYS, Period, last_days, today

# How a value is shown, and its type in JSON: `cents` and `count` are integers, `ratio` is a fraction (0.05 is 5 %),
# `day` is a date, `month` its first day, `counts` maps texts to counts.
Kind = Literal["text", "id", "count", "cents", "ratio", "number", "day", "month", "moment", "flag", "counts"]
Parameter = Literal["start", "end", "limit", "supplier_id", "threshold", "months"]
Row = Mapping[str, Any]

DEFAULT_LIMIT = 1000
MAX_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. A report looks at the parameters it names only; `today` is the last day that has begun."""

    today: date = field(default_factory=today)
    period: Period | None = None
    limit: int = DEFAULT_LIMIT
    supplier_id: str = ""
    threshold: int = 10
    months: int = 12

    @property
    def days(self) -> Period:
        """The period asked for, by default the last 30 days with today."""
        return self.period or last_days(DEFAULT_DAYS, self.today)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a report. The definition is a sentence that says what the number is."""

    name: str
    kind: Kind
    definition: str
    is_nullable: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `rows` yields mappings with the columns' names as keys, in their order."""

    name: str
    title: str
    definition: str
    columns: tuple[Column, ...]
    rows: Callable[[Question], Iterable[Row]]
    parameters: tuple[Parameter, ...] = ("start", "end")
    default_limit: int = DEFAULT_LIMIT
