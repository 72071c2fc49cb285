"""The one command: runs the comparisons, prints their tables, and writes benchmarks/RESULTS.md."""

import argparse
import importlib.metadata
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.servers import platform

RESULTS = Path(__file__).parent / "RESULTS.md"
PARTS = ("reads", "orders", "pages", "consumer", "rollups", "poison", "relay", "delay", "memory")
# Only when asked for: each takes some ten minutes, and starts real servers of its own (the dashboard's, unless
# DATABASE_URL names one, is a MariaDB), but for costs, which wants a real Kafka and MySQL or MariaDB to be configured.
LONG_PARTS = ("backlog", "dashboard", "costs")
COMPARED = ("django", "djangorestframework", "mongoengine", "pymongo", "granian", "fastapi", "beanie", "pydantic")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare the marketplace with other ways of doing the same. All sides run on this machine, on the"
        " same data, in turns; the tables give ratios. MONGODB_URL, KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL name"
        " servers to use instead of the embedded ones; everything happens in databases made for the run, but the"
        " broker should be an empty one. Needs requirements/benchmarks.txt and wrk.",
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all), {', '.join(LONG_PARTS)}"
    )
    parser.add_argument("--rounds", type=int, default=7, help="measurements per side (default: 7)")
    parser.add_argument("--seconds", type=float, default=3, help="length of one HTTP measurement (default: 3)")
    parser.add_argument("--events", type=int, default=100_000, help="events of the memory part (default: 100000)")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="events of the backlog part (default: 1000000)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file for the tables (default: RESULTS.md here)")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*PARTS, *LONG_PARTS}:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    if "costs" in arguments.parts and not {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"} <= set(os.environ):
        parser.error("costs wants real servers: .ci/servers.py .venv/bin/python -m benchmarks costs")
    arguments.parts = arguments.parts or list(PARTS)
    return arguments


def _heading() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in COMPARED)
    python = ".".join(map(str, sys.version_info[:3]))
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    return "\n\n".join(
        [
            "# Results",
            f"`{command}` on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPUs. Python {python}, {versions}.",
            "A ratio is our rate divided by the other side's, median over the rounds; all sides are measured in turns"
            " within a round, so what else the machine does at the time hits all of them.",
        ]
    )


def main() -> None:
    """Run the parts that the command line names."""
    arguments = _arguments()
    with platform(has_mariadb="dashboard" in arguments.parts) as folder:
        from benchmarks.parts import run  # noqa: PLC0415  # the project's models need Django set up

        tables = run(arguments.parts, folder, arguments.rounds, arguments.seconds, arguments.events, arguments.waiting)
    text = "\n\n".join([_heading(), *tables])
    print(f"\n{text}")
    arguments.output.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
