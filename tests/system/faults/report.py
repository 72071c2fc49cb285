"""The table at the end of a run: fault, times, lost, doubled, wrong, recovery."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median

from tests.system.faults.findings import Finding, Kind
from tests.system.faults.rounds import Outcome

HEAD = ("fault", "times", "lost", "doubled", "wrong", "recovery, median", "longest")


def table(outcomes: Sequence[Outcome], at_the_end: Sequence[Finding]) -> str:
    """Return the Markdown table, with a row per fault, one for what only the last comparison found, and the sum."""
    by_fault: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_fault[outcome.fault.title].append(outcome)
    rows = [_row(title, found, [f for o in found for f in o.findings]) for title, found in sorted(by_fault.items())]
    if at_the_end:
        rows.append(_row("outside of the rounds", [], at_the_end))
    everything = [*at_the_end, *(finding for outcome in outcomes for finding in outcome.findings)]
    rows.append(_row("all", outcomes, everything))
    return "\n".join([_line(HEAD), _line(["---"] + ["---:"] * (len(HEAD) - 1)), *map(_line, rows)])


def _row(title: str, outcomes: Sequence[Outcome], findings: Sequence[Finding]) -> list[str]:
    counts = Counter(finding.kind for finding in findings)
    times = [outcome.recovery_seconds for outcome in outcomes]
    seconds = [f"{median(times):.1f} s", f"{max(times):.1f} s"] if times else ["", ""]
    return [title, str(len(outcomes)), *(str(counts[kind]) for kind in Kind), *seconds]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
