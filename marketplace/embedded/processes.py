"""Child processes of quickstart: their output with a prefix, their end noticed, and none of them left behind."""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec, another thread of ours may have held the loader's lock for ever.
_LIBC = ctypes.CDLL(None)


def start_child(command: Sequence[str], **options: Any) -> "subprocess.Popen[str]":
    """Start a process that Ctrl-C in our terminal does not reach, and that ends when we are killed (on Linux).

    Call it from the main thread: the kernel ties the child to the thread that started it.
    """
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=functools.partial(_die_with, os.getpid()),  # noqa: PLW1509
        **options,
    )


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # killed before that call
            os._exit(1)


def stop_child(process: "subprocess.Popen[str]", seconds: float) -> bool:
    """Ask a process to stop and wait for it. Return False when it had to be killed.

    What it has started and left behind is killed either way: it would keep our end of its output open, too.
    """
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    has_ended = process.poll() is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # start_child made it the leader of a group
    process.wait()
    return has_ended


class Children:
    """Named processes. `write` gets each line of their output; `on_end` is called when one ends."""

    def __init__(self, write: Callable[[str], object], on_end: Callable[[], None]) -> None:
        self._write = write
        self._on_end = on_end
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process."""
        process = start_child(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._processes[name] = process
        reader = threading.Thread(target=self._read, args=(name, process), daemon=True)
        reader.start()
        self._readers.append(reader)
        # Not at the end of its output: a process of its own that outlives it keeps that open.
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def ended(self) -> dict[str, int]:
        """Return the exit codes of those that have ended by themselves."""
        return {name: code for name, process in self._processes.items() if (code := process.poll()) is not None}

    def stop(self, name: str, seconds: float = 20) -> None:
        """Stop a process and wait for it. Does nothing when there is none of that name."""
        process = self._processes.pop(name, None)
        if process and not stop_child(process, seconds):
            self._write(f"[{name}] did not stop within {seconds:g} s and was killed")

    def stop_all(self) -> None:
        """Stop all processes, the last started first, and wait for the end of their output."""
        for name in reversed(list(self._processes)):
            self.stop(name)
        for reader in self._readers:
            reader.join()

    def _read(self, name: str, process: "subprocess.Popen[str]") -> None:
        if process.stdout:
            with process.stdout as lines:
                for line in lines:
                    self._write(f"[{name}] {line.rstrip()}")

    def _watch(self, process: "subprocess.Popen[str]") -> None:
        process.wait()
        self._on_end()
