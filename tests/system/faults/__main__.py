"""`python -m tests.system.faults`: kill things under load, and see whether anything was lost or done twice."""

import argparse
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from marketplace.management.interruptible import INTERRUPTED
from marketplace.stopping import interrupt_on_signals
from tests.system.faults import bench, faults, platform, report, rounds
from tests.system.faults.findings import Finding, Kind

SHOWN = 20


def main() -> int:
    """Return the exit code."""
    options = _options()
    interrupt_on_signals()
    print(f"seed {options.seed}, {options.servers} servers", flush=True)
    if options.servers == "embedded":
        print("API, relay, consumer and MongoDB are killed; Kafka and SQLite are embedded here and keep running.")
    print("starting servers and processes ...", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="marketplace-faults-"))
    try:
        outcomes, at_the_end, summary = _run(options, folder)
    except KeyboardInterrupt:
        print("\ninterrupted")
        shutil.rmtree(folder)
        return INTERRUPTED
    text = f"{report.table(outcomes, at_the_end)}\n\n{summary}"
    print(f"\n{text}")
    if options.output:
        options.output.write_text(f"`{_command(options)}`\n\n{text}\n")
    failed = bool(at_the_end) or any(outcome.findings for outcome in outcomes)
    if failed:
        print(f"Something is wrong. Run again with: {_command(options)}")
    if failed or options.keep:
        print(f"The logs are in {folder}")
    else:
        shutil.rmtree(folder)
    return int(failed)


def _run(options: argparse.Namespace, folder: Path) -> tuple[list[rounds.Outcome], list[Finding], str]:
    """Do all rounds and the last comparison."""
    rng = random.Random(options.seed)
    begun = time.monotonic()
    outcomes = []
    with (
        platform.running(options.servers, folder, options.sql) as servers,
        bench.opened(servers, folder, options.seed) as running,
    ):
        chosen = _chosen(options)
        findings = running.check()  # also waits until everything works
        for number, fault in enumerate(faults.sequence(chosen, options.kills, rng), 1):
            try:
                outcome = rounds.run(running, fault, rng)
            except TimeoutError as error:
                findings += [Finding(Kind.LOST, f"{fault.title}: {error}"), *running.ended()]
                break
            outcomes.append(outcome)
            state = f"{len(outcome.findings)} findings" if outcome.findings else "ok"
            print(
                f"{time.monotonic() - begun:6.0f} s  {number:3}/{options.kills}  {fault.title}: {state}, "
                f"recovered in {outcome.recovery_seconds:.1f} s, {running.writes} writes so far",
                flush=True,
            )
            _show(outcome.findings)
        else:
            findings += running.hear_all() + running.check() + running.check_all()
        findings += running.stop()
        _show(findings)
        summary = (
            f"Seed {options.seed}, {options.servers} servers: {running.writes} acknowledged writes,"
            f" {running.repeats} events more than once in Kafka (at least once is what is promised; consumers drop"
            f" repeats by version), {time.monotonic() - begun:.0f} s."
            f" MongoDB ends transactions that a killed API leaves open after {platform.TRANSACTION_SECONDS} s here"
            " (transactionLifetimeLimitSeconds; 60 unless you set it).\n\nEvents: "
            + ", ".join(f"{name} {count}" for name, count in running.types.items())
        )
    return outcomes, findings, summary


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings[:SHOWN]:
        print(f"    {finding}", flush=True)
    if len(findings) > SHOWN:
        print(f"    and {len(findings) - SHOWN} more", flush=True)


def _chosen(options: argparse.Namespace) -> list[faults.Fault]:
    known = faults.known(platform.killable(options.servers, options.sql))
    return [fault for fault in known if not options.only or fault.names & set(options.only)]


def _command(options: argparse.Namespace) -> str:
    given = [
        f"--kills={options.kills}",
        f"--seed={options.seed}",
        f"--servers={options.servers}",
        f"--sql={options.sql}",
    ]
    only = [f"--only={','.join(options.only)}"] if options.only else []
    return shlex.join(["python", "-m", "tests.system.faults", *given, *only])


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _options() -> argparse.Namespace:
    victims = [*faults.PROCESSES, *faults.SERVERS, "zombie", "standby", "rewind"]
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.faults",
        description="Run the marketplace under load from a seeded generator, kill (SIGKILL) its processes and servers, "
        "start them again, and compare the analytics tables with what the API acknowledged. Everything runs on free "
        "ports of 127.0.0.1 with its data in a temporary folder. Exit code 1 when anything was lost, done twice or is "
        "otherwise wrong.",
        epilog=f"Victims: {', '.join(victims)}. Points: {', '.join(faults.POINTS)}.",
    )
    default = "real" if platform.real_servers_are_here() else "embedded"
    parser.add_argument("--kills", type=_number, default=100, metavar="N", help="how many faults (default: 100)")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.SystemRandom().randrange(10**6),
        metavar="N",
        help="of the generator (default: a new one)",
    )
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[],
        metavar="NAMES",
        help="only these victims or points, separated by commas",
    )
    parser.add_argument(
        "--servers",
        choices=("real", "embedded"),
        default=default,
        help=f"real: MariaDB and Apache Kafka as processes (default here: {default})",
    )
    parser.add_argument(
        "--sql", choices=platform.SQL_SERVERS, default="mariadb", help="the real SQL server (default: mariadb)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table to this file, too")
    parser.add_argument("--keep", action="store_true", help="keep logs and data of a good run, too")
    options = parser.parse_args()
    if unknown := set(options.only) - {*victims, *faults.POINTS}:
        parser.error(f"unknown in --only: {', '.join(sorted(unknown))}")
    if not _chosen(options):
        parser.error(f"nothing of {', '.join(options.only)} can be killed on {options.servers} servers")
    return options


if __name__ == "__main__":
    sys.exit(main())
