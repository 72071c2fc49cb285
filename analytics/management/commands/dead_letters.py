"""manage.py dead_letters: look at messages that could not be applied, try them again, or close them."""

import argparse
import json
import os
import pwd
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from analytics import dead_letters
from analytics.dead_letters import Outcome
from analytics.models import DeadLetter, DeadLetterAction
from analytics.readable import pretty, printable, raw_bytes, readable
from marketplace.management.interruptible import InterruptibleCommand

MOST_LISTED: Final = 1000
ERROR_WIDTH: Final = 90
USAGE: Final = 2
ROW: Final = "{:>8}  {:9}  {:20}  {:28}  {:24}  {}"

DESCRIPTION = """\
Messages that the consumer could not decode or apply, and what to do about them.

  dead_letters list                         the open ones, newest first
  dead_letters show 42                      all about one, its value indented
  dead_letters show 42 --raw > message      its bytes, as they came
  dead_letters retry 42 43                  decode and apply again, after whatever was wrong is mended
  dead_letters retry --all --topic product
  dead_letters discard 44 --reason "test message of the import team"
  dead_letters discard --all --error truncated --reason "sent again by the import team"

A retry writes rows under the same version guard as the consumer: an event whose entity has moved on changes nothing and
is done. Who did what stays with the letter. Exits with 0 when all went well, 1 when something failed (it stays open),
2 for a wrong call.
"""


def _text(value: str) -> str:
    """Return an argument that has something to say. Raises ArgumentTypeError."""
    if not value.strip() or not value.isprintable():
        raise argparse.ArgumentTypeError("a text without control characters is needed")
    return value.strip()


def _name(value: str) -> str:
    name, most = _text(value), DeadLetterAction._meta.get_field("actor").max_length or 0
    if len(name) > most:
        raise argparse.ArgumentTypeError(f"at most {most} characters")
    return name


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError("a day or time as 2026-11-22 or 2026-11-22T15:00 is needed") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _positive(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 2**63:
        raise argparse.ArgumentTypeError("a number from 1 on is needed")
    return int(value)


def _limit(value: str) -> int:
    if (limit := _positive(value)) > MOST_LISTED:
        raise argparse.ArgumentTypeError(f"at most {MOST_LISTED}")
    return limit


def _os_user() -> str:
    """Return the name of who runs this process, by its user id and not by what the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # containers run under ids without a name
        return f"uid {os.getuid()}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Command(InterruptibleCommand):
    help = DESCRIPTION
    farewell = "Stopped. The letter it was at may be done, the rest is as it was."
    # They import the whole API; `manage.py check` runs them.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the lines of the description."""
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|retry|discard")
        found = actions.add_parser("list", help="list letters, newest first")
        self._add_filters(found)
        found.add_argument("--state", choices=[*DeadLetter.STATES, "all"], default=DeadLetter.OPEN, help="default open")
        found.add_argument("--limit", type=_limit, default=50, help=f"how many (default 50, at most {MOST_LISTED})")
        found.add_argument("--before", type=_positive, metavar="ID", help="only older ones than this: the next page")
        found.add_argument("--json", action="store_true", help="a JSON array instead of a table")
        shown = actions.add_parser("show", help="show one letter with its value and what was done about it")
        shown.add_argument("id", type=_positive)
        shown.add_argument("--raw", action="store_true", help="write the value's bytes, and nothing else, to stdout")
        retried = actions.add_parser("retry", help="decode and apply open letters again")
        discarded = actions.add_parser("discard", help="close open letters without applying them")
        discarded.add_argument("--reason", type=_text, required=True, help="kept with the letter")
        for parser in (retried, discarded):
            parser.add_argument("id", type=_positive, nargs="*")
            parser.add_argument("--all", action="store_true", help="all open ones that the filters below leave")
            self._add_filters(parser)
            parser.add_argument("--by", type=_name, default=_os_user(), help="who does it (default: your user name)")

    def _add_filters(self, parser: CommandParser) -> None:
        parser.add_argument("--topic", type=_text, help="of this topic")
        parser.add_argument("--since", type=_moment, help="that came at this day or time (UTC) or later")
        parser.add_argument("--error", type=_text, metavar="TEXT", help="whose error contains this")

    def handle(self, *, action: str, **options: Any) -> None:
        handlers = {"list": self._list, "show": self._show, "retry": self._retry, "discard": self._discard}
        try:
            handlers[action](options)
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"the database failed: {error}. What is not listed above has not changed.") from error

    def _list(self, options: dict[str, Any]) -> None:
        state = None if options["state"] == "all" else options["state"]
        letters = dead_letters.matching(state=state, **_filters(options)).defer("value").order_by("-pk")
        if options["before"]:
            letters = letters.filter(pk__lt=options["before"])
        found = list(letters[: options["limit"] + 1])
        page = found[: options["limit"]]
        if options["json"]:
            self.stdout.write(json.dumps([_facts(letter) for letter in page], indent=2))
            return
        self.stdout.write(ROW.format("ID", "STATE", "CAME", "MESSAGE", "KEY", "ERROR"))
        for letter in page:
            self.stdout.write(_row(letter))
        more = f"; more: --before {page[-1].pk}" if len(found) > len(page) else ""
        self.stdout.write(f"{len(page)} letters{more}")

    def _show(self, options: dict[str, Any]) -> None:
        letter = DeadLetter.objects.filter(pk=options["id"]).first()
        if letter is None:
            raise CommandError("there is no such letter")
        value = raw_bytes(letter.value)
        if options["raw"]:
            sys.stdout.buffer.write(value or b"")
            sys.stdout.buffer.flush()
            return
        for name, fact in _facts(letter).items():
            self.stdout.write(f"{name + ':':12}{printable(str(fact))}")
        for action in letter.actions.order_by("pk"):
            self.stdout.write(printable(f"{_time(action.at)}  {action}{action.detail and f' ({action.detail})'}"))
        self.stdout.write(f"value ({'none' if value is None else f'{len(value)} bytes'}):\n{pretty(value)}")

    def _retry(self, options: dict[str, Any]) -> None:
        self._report(dead_letters.retry(_chosen(options), options["by"]))

    def _discard(self, options: dict[str, Any]) -> None:
        self._report(dead_letters.discard(_chosen(options), options["by"], options["reason"]))

    def _report(self, outcomes: Iterable[Outcome]) -> None:
        """Write a line for each letter as soon as it is settled, and a sum. Raises CommandError when some failed."""
        counts: Counter[str] = Counter()
        failed = 0
        for outcome in outcomes:
            self.stdout.write(printable(f"{outcome.letter_id} {outcome}"))
            counts[outcome.outcome] += 1
            failed += not outcome.is_done
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing to do")
        if failed:
            raise CommandError(f"{failed} of {counts.total()} letters are not settled as asked")


def _filters(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("topic", "since", "error")}


def _chosen(options: dict[str, Any]) -> list[int]:
    """Return the ids that were given, or with --all those of open letters. Raises CommandError for neither and both."""
    ids: list[int] = options["id"]
    everything, filters = options["all"], _filters(options)
    if bool(ids) == everything or (ids and any(filters.values())):
        raise CommandError("give either ids, or --all and maybe filters", returncode=USAGE)
    if everything:
        ids = list(dead_letters.matching(state=DeadLetter.OPEN, **filters).order_by("pk").values_list("pk", flat=True))
    return ids


def _facts(letter: DeadLetter) -> dict[str, Any]:
    """Return what is known of a letter, without its value."""
    return {
        "id": letter.pk,
        "state": letter.state,
        "created_at": _time(letter.created_at),
        "cluster_id": letter.cluster_id,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": None if letter.key is None else readable(letter.key),
        "error": letter.error,
    }


def _row(letter: DeadLetter) -> str:
    facts = _facts(letter)
    error = printable(letter.error)
    cut = error if len(error) <= ERROR_WIDTH else f"{error[: ERROR_WIDTH - 1]}…"
    return ROW.format(facts["id"], facts["state"], facts["created_at"], str(letter), facts["key"] or "-", cut)
