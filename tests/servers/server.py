"""What all servers share: how faults are done to them, and how a process is started and waited for."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from marketplace.embedded.mongod import free_port
from marketplace.embedded.processes import start_child, stop_child

START_SECONDS = 90
STOP_SECONDS = 30


class Server(AbstractContextManager["Server"], ABC):
    """A server on a port of 127.0.0.1 that stays the same, as do its data, over all stops and starts.

    It runs for the length of a `with` block. The kernel ends it when the thread that started it ends, so start it from
    one that lives as long.
    """

    name: ClassVar[str]
    variable: ClassVar[str]  # the environment variable that `address` goes into
    programs: ClassVar[tuple[str, ...]] = ()  # what it takes to run it

    @classmethod
    def missing(cls) -> list[str]:
        """Return what this machine lacks to run it."""
        return [program for program in cls.programs if not shutil.which(program)]

    @property
    @abstractmethod
    def address(self) -> str:
        """What the environment variable has to say."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id. Raises RuntimeError when it is not running."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and return when it answers. Raises RuntimeError, with the end of its log, when it does not."""

    @abstractmethod
    def _end(self) -> None:
        """Ask it to end and wait until it has. Does nothing when it is not running."""

    def stop(self) -> None:
        """Stop it cleanly, also when it is paused. Does nothing when it is not running."""
        if self.is_running():
            self.resume()
        self._end()

    def kill(self) -> None:
        """Kill it (SIGKILL) and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        self._end()

    def pause(self) -> None:
        """Stop its process (SIGSTOP): connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        os.kill(self.pid, signal.SIGCONT)

    @abstractmethod
    def is_running(self) -> bool:
        """Whether it has been started, and not stopped or killed since."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exception: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class ProcessServer(Server):
    """A server that is one command, with data and log in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder; called before the first start."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return the command that runs it in the foreground."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it does its work."""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self._prepare()
        with self._log.open("a") as output:
            self._process = start_child(self._command(), stdout=output, stderr=output)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self._end()
            raise

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self._log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.05)  # a server has no event for it

    def _end(self) -> None:
        if self._process is not None:
            stop_child(self._process, STOP_SECONDS)
            self._process = None

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"


def run(command: Sequence[str | Path]) -> None:
    """Run a preparation step. Raises RuntimeError with its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
