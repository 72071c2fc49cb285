"""manage.py doctor: what is wrong with this installation, and what to do about it."""

import argparse
import json
import math
import sys
from collections import Counter
from datetime import UTC, datetime
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
        findings: list[Finding] = []
        for finding in Examination(visit, options["only"] or GROUPS).findings():
            if not options["json"]:
                self._show(finding, findings[-1] if findings else None)
            findings.append(finding)
        counts = Counter(finding.state for finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps(_document(findings, counts), indent=2))
        else:
            self.stdout.write(f"\n{_summary(counts)}")
        if counts[State.FAULT] or (options["strict"] and counts[State.WARNING]):
            sys.exit(1)

    def _show(self, finding: Finding, before: Finding | None) -> None:
        """Write a finding as soon as it is there, in a pipe as well."""
        if before is None or finding.group != before.group:
            self.stdout.write(f"{'' if before is None else chr(10)}{finding.group}")
        styles = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.FAULT: self.style.ERROR}
        style = styles.get(finding.state, self.style.HTTP_INFO)
        self.stdout.write(f"  {style(f'{finding.state:<8}')} {finding.name}: {finding.found}")
        if finding.remedy:
            self.stdout.write(f"           -> {finding.remedy}")
        self.stdout.flush()


def _summary(counts: "Counter[State]") -> str:
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return f"{counts.total()} looked at: {told}"


def _document(findings: list[Finding], counts: "Counter[State]") -> dict[str, Any]:
    """Return what --json prints (docs/operations.md describes it)."""
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
