"""`python -m fuzz`: schemathesis against a running API, once for each kind of caller, and what came of it."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from fuzz import server
from fuzz.world import KINDS, World
from marketplace.embedded.processes import start_child, stop_child
from marketplace.management.interruptible import INTERRUPTED
from marketplace.stopping import interrupt_on_signals

FOLDER = Path(__file__).parent
CALLERS = ("anonymous", *KINDS)
CONFIGURATION = "schemathesis.toml"
STOP_SECONDS = 20


def main() -> int:
    """Return the exit code."""
    options = _options()
    interrupt_on_signals()
    counts: dict[str, Counter[str]] = {}
    failed = []
    with server.running() as url, tempfile.TemporaryDirectory(prefix="marketplace-fuzz-") as folder:
        for caller in options.caller or CALLERS:
            print(f"\n==> as {caller}", flush=True)
            status, counts[caller] = _fuzz(url, caller, options, Path(folder, caller))
            if status:
                failed.append(caller)
    return _report(counts, failed, options)


def _fuzz(url: str, caller: str, options: argparse.Namespace, folder: Path) -> tuple[int, Counter[str]]:
    """Run schemathesis as this caller in a new world; return its exit code and the number of answers by kind."""
    world = World(url)
    words = world.words_for(caller)
    _write_configuration(words, folder)
    log_in = world.log_in(caller) if caller != "anonymous" else None
    counts = folder / "counts.json"
    about = {
        "url": url,
        "log_in": log_in,
        "id": world.ids.get(caller),
        "name": caller,
        "words": words,
        "counts": str(counts),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(folder / CONFIGURATION), "run"]
    command += [f"{url}/schema", "--url", url, "--seed", str(options.seed)]
    command += ["--max-examples", str(options.examples), *options.rest]
    process = start_child(command, cwd=FOLDER.parent, env=os.environ | {"FUZZ_CALLER": json.dumps(about)})
    try:
        status = process.wait()
    finally:
        stop_child(process, STOP_SECONDS)
    return status, Counter(json.loads(counts.read_text()) if counts.exists() else {})


def _write_configuration(words: dict[str, list[str]], folder: Path) -> None:
    folder.mkdir()
    shutil.copy(FOLDER / CONFIGURATION, folder)
    for name, known in words.items():
        Path(folder, f"{name}.dict").write_text("".join(f'"{word}"\n' for word in known))


def _report(counts: dict[str, Counter[str]], failed: list[str], options: argparse.Namespace) -> int:
    """Print how often each operation was asked, and answered with what; return the exit code."""
    by_operation: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for caller, found in counts.items():
        for label, number in found.items():
            operation, _, status = label.rpartition(" ")
            by_operation[operation][status] += number
        print(f"{sum(found.values()):7} requests as {caller}")
    print(f"{sum(sum(found.values()) for found in counts.values()):7} requests in all, seed {options.seed}\n")
    statuses = sorted({status for found in by_operation.values() for status in found})
    print(f"{'':34}" + "".join(f"{status:>6}" for status in statuses))
    for operation, found in sorted(by_operation.items()):
        print(f"{operation:34}" + "".join(f"{found[status] or '':>6}" for status in statuses))
    missed = [operation for operation, found in by_operation.items() if not any(status < "300" for status in found)]
    if missed:
        print(f"\nNever answered with 2xx: {', '.join(missed)}")
    if failed:
        print(f"\nFindings, told above, as: {', '.join(failed)}")
    return 1 if failed or missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description="Send generated requests, valid and not, to a running API with a MongoDB of its own, once as each"
        " kind of caller, and check every answer against the OpenAPI document. Prints how often each operation was"
        " answered with what.",
        epilog="Exit code 1: a finding, or an operation that nobody got a 2xx from. Each finding is told with a curl"
        " command that shows its request; the same seed and caller send it again. Behind -- stand options of"
        " schemathesis, for example: python -m fuzz --caller user -- --include-path /orders --phases fuzzing",
    )
    add = parser.add_argument
    add("--examples", type=int, default=75, metavar="N", help="requests by operation and phase (%(default)s)")
    add("--seed", type=int, default=1, metavar="N", help="what the requests depend on (%(default)s)")
    add("--caller", action="append", choices=CALLERS, help="as this kind of caller only; repeatable (all)")
    add("rest", nargs="*", metavar="-- OPTION", help="options of `schemathesis run`")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
