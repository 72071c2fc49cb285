"""The table of ratios: paired rounds in, one row per comparison out."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OURS = "marketplace"


@dataclass(frozen=True, slots=True)
class Speed:
    """What one measurement gave: operations per second, and per second of the serving process's CPU time if known."""

    per_second: float
    per_cpu_second: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: our speed divided by another side's, median over the rounds."""

    what: str
    against: str
    ratio: float
    lowest: float
    highest: float
    by_cpu: float | None
    at_least: float | None

    def cells(self) -> list[str]:
        """Return the row of the table."""
        return [
            self.what,
            self.against,
            f"{self.ratio:.2f}",
            f"{self.lowest:.2f} to {self.highest:.2f}",
            "" if self.by_cpu is None else f"{self.by_cpu:.2f}",
            *_verdict(self.ratio, self.at_least),
        ]


def _verdict(ratio: float, at_least: float | None) -> tuple[str, str]:
    if at_least is None:
        return "", ""
    return f">= {at_least:g}", "met" if ratio >= at_least else "**not met**"


def interleaved(sides: Mapping[str, Callable[[], Speed]], rounds: int) -> dict[str, list[Speed]]:
    """Measure every side once per round, each round in the reverse order of the last: A B C, C B A, A B C."""
    results: dict[str, list[Speed]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            results[name].append(sides[name]())
    return results


def show(what: str, speeds: Mapping[str, Sequence[Speed]]) -> None:
    """Print the rates themselves: they say little on another machine, so RESULTS.md has ratios only."""
    for name, results in speeds.items():
        rates = " ".join(f"{speed.per_second:8.0f}" for speed in results)
        print(f"{what:28} {name:34} {rates} /s", flush=True)


def compare(what: str, speeds: Mapping[str, Sequence[Speed]], against: str, at_least: float | None = None) -> Row:
    """Return our speed in relation to another side's."""
    pairs = list(zip(speeds[OURS], speeds[against], strict=True))
    ratios = [ours.per_second / other.per_second for ours, other in pairs]
    by_cpu = [
        ours.per_cpu_second / other.per_cpu_second
        for ours, other in pairs
        if ours.per_cpu_second and other.per_cpu_second
    ]
    return Row(
        what=what,
        against=against,
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        by_cpu=statistics.median(by_cpu) if by_cpu else None,
        at_least=at_least,
    )


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def comparisons(rows: Sequence[Row]) -> str:
    """Return the comparisons as a Markdown table."""
    header = ["what", "against", "ratio", "lowest to highest round", "by CPU time", "wanted", ""]
    return as_markdown(header, [row.cells() for row in rows])
