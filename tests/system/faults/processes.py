"""The marketplace's own processes as the bench runs them: API, relay, consumers. Each can be killed and started again.

Start them from the main thread: the kernel ends them with the thread that started them.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil

from marketplace.embedded.mongod import free_port
from marketplace.embedded.processes import start_child, stop_child
from tests.system.faults import points

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60
STOP_SECONDS = 20
GONE_SECONDS = 90


class Process:
    """A manage.py command that runs until it is stopped, with its log in `folder`."""

    killed_code = -signal.SIGKILL  # how it ends when it kills itself

    def __init__(self, role: str, name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.role = role
        self.name = name
        self.log = folder / f"{name}.log"
        self._arguments = command
        self._environment = os.environ | environment
        self._process: subprocess.Popen[str] | None = None
        self._point: str | None = None
        self._begun_at = 0

    def start(self, point: str | None = None) -> None:
        """Start it; with a point (`name:count`) it kills itself there."""
        self._point = point
        with self.log.open("a") as output:
            self._begun_at = output.tell()
            self._process = start_child(
                self._command(point),
                cwd=ROOT,
                env=self._environment | ({"FAULT_POINT": point} if point else {}),
                stdout=output,
                stderr=output,
            )

    def _command(self, point: str | None) -> list[str]:
        orders = [point] if point else []
        return [sys.executable, "-m", "tests.system.faults.launch", *orders, "--", *self._arguments]

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs or before it was started."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """SIGKILL to it and all that it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wait_until_gone(self, seconds: float = GONE_SECONDS) -> bool:
        """Wait until it has killed itself at its point, and end what is left of it.

        Return False when it lives on, or has ended of something else.
        """
        if self._process is None:
            return False
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.kill()
        return code == self.killed_code and self._is_at_its_point()

    def _is_at_its_point(self) -> bool:
        return self._point is not None and points.struck(self._point) in self.said().splitlines()

    def said(self) -> str:
        """Return what it has logged since it was started or woken."""
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as log:
            log.seek(self._begun_at)
            return log.read()

    def wait_until_it_says(self, text: str, seconds: float = GONE_SECONDS) -> bool:
        """Wait until it has logged something. Return False when it does not."""
        deadline = time.monotonic() + seconds
        while (is_missing := text not in self.said()) and self.is_running and time.monotonic() < deadline:
            time.sleep(0.05)  # a file has no event for it
        return not is_missing

    def wait_until_stopped(self, seconds: float = GONE_SECONDS) -> bool:
        """Wait until it has stopped itself (SIGSTOP). Return False when it goes on."""
        deadline = time.monotonic() + seconds
        while self.is_running and time.monotonic() < deadline:
            if self._process and psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED:
                return self._is_at_its_point()
            time.sleep(0.05)  # a stopped process is an event for its parent's waitpid alone, which Popen has
        return False

    def wake(self) -> None:
        """Let it go on after a SIGSTOP. What it says from now on is what it has `said`."""
        self._begun_at = self.log.stat().st_size if self.log.exists() else 0
        if self._process and self.is_running:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int | None:
        """Stop it cleanly; return its exit code, None when it had to be killed or was not running."""
        if self._process is None:
            return None
        self.wake()
        was_running = self.is_running
        in_time = stop_child(self._process, STOP_SECONDS)
        code = self._process.returncode if was_running and in_time else None
        self._process = None
        return code

    def tail(self, lines: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


class Api(Process):
    """The API under granian: one worker with four threads, always on the same port."""

    killed_code = 1  # the worker kills itself, and granian ends after it

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        super().__init__("api", "api", [], environment, folder)
        self.port = free_port()

    def start(self, point: str | None = None) -> None:
        """Start it and wait until it answers. Raises RuntimeError when it does not."""
        super().start(point)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"the API did not start:\n{self.tail()}")
            time.sleep(0.05)  # a port has no event for it

    def _command(self, point: str | None) -> list[str]:
        module = "tests.system.faults.wsgi" if point else "marketplace.wsgi"
        options = ["--interface", "wsgi", "--port", str(self.port), "--no-ws", "--blocking-threads", "4"]
        return [sys.executable, "-m", "granian", *options, f"{module}:application"]

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


def manage(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run a manage.py command to its end. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
