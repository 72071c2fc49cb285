"""Signals and child processes: a first signal asks, a second forces, and nobody is left behind."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from marketplace.embedded.processes import Children

WAITS_FOR_SIGNALS = """
import sys
from marketplace.stopping import stop_on_signals
stop = stop_on_signals()
print("ready", flush=True)
stop.wait()
print("asked", flush=True)
if sys.argv[1] == "clean":
    sys.exit(0)
stop.clear()
stop.wait()
"""
IGNORES_SIGNALS = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
)
INTERRUPTED_IN_A_FINALIZER = """
import signal
from marketplace.stopping import interrupt_on_signals
class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
check = interrupt_on_signals()
Finalized()
try:
    check()
except KeyboardInterrupt:
    print("asked")
"""
# As granian, whose worker does not stop while it starts.
LEAVES_A_CHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {IGNORES_SIGNALS!r}])
child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", ["clean", "stuck"])
def test_the_first_signal_asks_and_the_second_forces(kind: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", WAITS_FOR_SIGNALS, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked\n"
        if kind == "stuck":
            process.send_signal(number)
        assert process.wait(10) == (0 if kind == "clean" else -number)


def test_an_interrupt_that_python_drops_is_raised_at_the_next_check() -> None:
    command = [sys.executable, "-c", INTERRUPTED_IN_A_FINALIZER]
    found = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert "Exception ignored in" in found.stderr
    assert found.stdout == "asked\n"


class Heard:
    """What a set of children wrote, and whether one has ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = threading.Event()
        self.end = threading.Event()
        self.children = Children(self.write, self.end.set)

    def write(self, line: str) -> None:
        self.lines.append(line)
        self.line.set()


def test_output_comes_with_the_name_in_front_and_an_end_is_noticed() -> None:
    heard = Heard()
    heard.children.start("greeter", [sys.executable, "-c", "print('hello'); raise SystemExit(3)"], os.environ)
    assert heard.end.wait(10)
    assert heard.lines == ["[greeter] hello"]
    assert heard.children.ended() == {"greeter": 3}
    heard.children.stop_all()


def test_a_child_that_does_not_stop_is_killed() -> None:
    heard = Heard()
    heard.children.start("deaf", [sys.executable, "-c", IGNORES_SIGNALS], os.environ)
    assert heard.line.wait(10)
    heard.children.stop("deaf", seconds=0.2)
    assert heard.end.wait(10)
    assert heard.lines == ["[deaf] deaf", "[deaf] did not stop within 0.2 s and was killed"]
    assert heard.children.ended() == {}
    heard.children.stop_all()


def test_what_a_child_leaves_behind_is_killed() -> None:
    heard = Heard()
    heard.children.start("parent", [sys.executable, "-c", LEAVES_A_CHILD], os.environ)
    assert heard.line.wait(10)
    heard.children.stop("parent")
    assert heard.end.wait(10)  # the end of the output, which both had open
    assert heard.lines == ["[parent] deaf"]
    heard.children.stop_all()
