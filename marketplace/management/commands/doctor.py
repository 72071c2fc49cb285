"""manage.py doctor: what is wrong with this installation, and what to do about it."""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.module_loading import autodiscover_modules

from marketplace.doctor.examination import Examination
from marketplace.doctor.registry import GROUPS, Finding, State, Visit
from marketplace.management.interruptible import InterruptibleCommand
from marketplace.representation import timestamp

MAX_SECONDS: Final = 600


class Command(InterruptibleCommand):
    help = (
        "Look at every setting and server, and name the remedy for each fault. Changes nothing: a transaction writes to"
        " a MongoDB collection of its own, which is dropped again, and a row in SQL is rolled back. A server that does"
        " not answer costs its time once, the rest goes on. Exits with 0 when there is no fault, 1 when there is one"
        " (with --strict also when there is a warning), 2 for a wrong call."
    )
    farewell = "Stopped before the end: the rest has not been looked at."
    requires_system_checks: list[str] = []  # they are among what is looked at

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object at the end instead of lines")
        parser.add_argument(
            "--only", action="append", choices=GROUPS, metavar="GROUP", help=f"one of {', '.join(GROUPS)}; repeatable"
        )
        parser.add_argument(
            "--timeout",
            type=_seconds,
            default=5.0,
            metavar="SECONDS",
            help="how long a server may take to answer (default: %(default)g)",
        )
        parser.add_argument("--strict", action="store_true", help="exit with 1 when there are warnings, too")

    def handle(self, **options: Any) -> None:
        autodiscover_modules("doctor")  # the checks of each app
        visit = Visit(options["timeout"], lambda: datetime.now(UTC))
        found = Examination(visit, options["only"] or GROUPS).findings()
        findings = list(found) if options["json"] else list(self._shown(found))
        counts = Counter(finding.state for finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps(_document(findings, counts), indent=2))
        else:
            self.stdout.write(_summary(counts))
        if counts[State.FAULT] or (options["strict"] and counts[State.WARNING]):
            sys.exit(1)

    def _shown(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings, and write each as soon as it is there; what was skipped at the end of its group."""
        for group, found in groupby(findings, attrgetter("group")):
            self._write(group)
            skipped: dict[tuple[str, str], list[str]] = {}
            for finding in found:
                if finding.state == State.SKIPPED:
                    skipped.setdefault((finding.found, finding.remedy), []).append(finding.name)
                else:
                    self._show(finding.state, finding.name, finding.found, finding.remedy)
                yield finding
            for (why, remedy), names in skipped.items():
                self._show(State.SKIPPED, ", ".join(names), why, remedy)
            self._write("")

    def _show(self, state: State, name: str, found: str, remedy: str) -> None:
        styles = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.FAULT: self.style.ERROR}
        self._write(f"  {styles.get(state, self.style.HTTP_INFO)(f'{state:<8}')} {name}: {found}")
        if remedy:
            self._write(f"           -> {remedy}")

    def _write(self, line: str) -> None:
        """Write a line at once, in a pipe as well."""
        self.stdout.write(line)
        self.stdout.flush()


def _summary(counts: "Counter[State]") -> str:
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return f"{counts.total()} looked at: {told}"


def _document(findings: list[Finding], counts: "Counter[State]") -> dict[str, Any]:
    """Return what --json prints (docs/doctor.md describes it)."""
    worst = next((state for state in (State.FAULT, State.WARNING) if counts[state]), State.OK)
    keys = ("group", "name", "state", "found", "remedy")
    return {
        "version": settings.VERSION,
        "at": timestamp(datetime.now(UTC)),
        "state": worst,
        "counts": {state: counts[state] for state in State},
        "findings": [{key: getattr(finding, key) for key in keys} for finding in findings],
    }


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0, up to {MAX_SECONDS}")
    return seconds
