"""Prints the processes that `.ci/run` has started and that still run, and kills them: `left_running.py VALUE`.

They have CI_RUN=VALUE in their environment, whatever session or group they have made for themselves. Waits a little
for those that are ending. Exit code 1 when there were any.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

ENDING_SECONDS = 5


def running(mark: bytes) -> dict[int, str]:
    """Return the command lines by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = line.decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
    return {pid: line for pid, line in found.items() if line}  # a process without a command line has ended


def main(value: str) -> int:
    """Return the exit code."""
    mark = f"CI_RUN={value}".encode()
    deadline = time.monotonic() + ENDING_SECONDS
    while (left := running(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)  # the end of a process that is no child of ours sends no sign
    for pid, line in left.items():
        print(f"    left running: {pid} {line}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
