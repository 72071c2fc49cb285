"""Docker's command line, and its daemon where none is running."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 60


def docker(*arguments: str | Path) -> str:
    """Run `docker` with these arguments, and return what it prints. Raises RuntimeError."""
    return succeed(["docker", *map(str, arguments)])


def succeed(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run a command and return its standard output. Raises RuntimeError with the end of what it said when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}".strip()
        raise RuntimeError(f"{' '.join(command)[:300]}: exit code {done.returncode}\n{said}")
    return done.stdout


def answers() -> bool:
    """Whether a daemon answers."""
    return not subprocess.run(["docker", "info"], capture_output=True).returncode


@contextlib.contextmanager
def daemon(log: Path) -> Iterator[str]:
    """Have a daemon for the length of the block: the one that runs, or one of its own. Gives its version.

    Raises RuntimeError when it does not start.
    """
    if answers():
        yield _version()
        return
    with log.open("w") as output:
        process = subprocess.Popen(["dockerd"], stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)  # it has no event for it
        yield f"{_version()}, started for this"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


def _version() -> str:
    return docker("version", "--format", "{{.Server.Version}}").strip()
