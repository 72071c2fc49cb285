"""The table of ratios: paired rounds in, one row per comparison out."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OURS = "marketplace"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `wanted` is a bound on the ratio, as text and as a test of it (none: just for the record)."""

    what: str
    against: str
    ratio: float
    lowest: float
    highest: float
    wanted: str = ""
    meets: bool | None = None


def interleaved(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure every side once per round, each round in the reverse order of the last: A B C, C B A, A B C."""
    results: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            results[name].append(sides[name]())
    return results


def compare(what: str, rates: Mapping[str, Sequence[float]], against: str, at_least: float | None = None) -> Row:
    """Return the median over the rounds of our rate divided by another side's."""
    ratios = [ours / other for ours, other in zip(rates[OURS], rates[against], strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        what=what,
        against=against,
        ratio=ratio,
        lowest=min(ratios),
        highest=max(ratios),
        wanted="" if at_least is None else f">= {at_least:g}",
        meets=None if at_least is None else ratio >= at_least,
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | against | ratio | lowest to highest round | wanted | |", "|---|---|---|---|---|---|"]
    for row in rows:
        verdict = {None: "", True: "met", False: "**not met**"}[row.meets]
        spread = f"{row.lowest:.2f} to {row.highest:.2f}"
        lines.append(f"| {row.what} | {row.against} | {row.ratio:.2f} | {spread} | {row.wanted} | {verdict} |")
    return "\n".join(lines)
