"""One round: load, a fault in the middle of it, a restart, the time until all works again, and the comparison."""

import random
import re
import time
from dataclasses import dataclass

from tests.system.faults import ledger
from tests.system.faults.bench import Bench, stopped
from tests.system.faults.faults import Fault
from tests.system.faults.findings import Finding, Kind
from tests.system.faults.processes import GONE_SECONDS, Process
from tests.waiting import until

# Acknowledged writes before the fault and after the recovery.
WRITES = 40
WRITES_SECONDS = 60
MOMENT_SECONDS = 1.5
SET_BACK = 200  # offsets
STANDS_BY = "this one stands by"
NAMES = {"api": "api", "relay": "relay", "consumer": "consumer-1"}


@dataclass(frozen=True)
class Outcome:
    """What came of a fault."""

    fault: Fault
    recovery_seconds: float
    findings: list[Finding]


def run(bench: Bench, fault: Fault, rng: random.Random) -> Outcome:
    """Run one round. Raises TimeoutError when nothing works after the restart."""
    findings = _arm(bench, fault, rng)
    with bench.driver.load():
        findings += _strike(bench, fault, rng)
        begun = time.monotonic()
        is_fenced = fault.has_standby and fault.is_zombie
        waits = fault.has_standby or fault.is_zombie
        if not waits:
            _restart(bench, fault)
        bench.recovery()
        recovery = time.monotonic() - begun
        repeats = bench.repeats
        if waits:
            _restart(bench, fault)
        if is_fenced:
            findings += _fenced(bench, fault)
        bench.driver.wait_for_writes(WRITES // 2, WRITES_SECONDS)
    if fault.has_standby:
        findings += stopped(bench.processes["relay-standby"])
    findings += bench.check()
    if is_fenced and bench.repeats > repeats:
        findings.append(Finding(Kind.DOUBLED, f"{bench.repeats - repeats} events were sent again after the wake-up"))
    return Outcome(fault, recovery, findings)


def _arm(bench: Bench, fault: Fault, rng: random.Random) -> list[Finding]:
    """Start the victim anew, to die at its point; or start a standby."""
    if fault.has_standby and fault.code is None:
        bench.processes["relay-standby"].start()
    if fault.code is None or fault.point is None:
        return []
    victim = _process(bench, fault)
    findings = stopped(victim)
    order = f"{fault.point}:{rng.randint(1, fault.code.calls)}"
    victim.start(f"{order}:STOP" if fault.is_zombie else order)
    return findings


def _strike(bench: Bench, fault: Fault, rng: random.Random) -> list[Finding]:
    """See the victim die at its point, or kill it now. Returns a finding when it does not get there."""
    if fault.code is None:
        bench.driver.wait_for_writes(WRITES, WRITES_SECONDS)
        time.sleep(rng.uniform(0, MOMENT_SECONDS))  # any moment
        _kill(bench, fault)
        return []
    victim = _process(bench, fault)
    if fault.point == "consumer-revoke":
        _rebalance(bench, victim)
    if victim.wait_until_stopped() if fault.is_zombie else victim.wait_until_gone():
        if fault.has_standby:  # not before: it would be the active one
            bench.processes["relay-standby"].start()
        return []
    victim.kill()
    return [Finding(Kind.WRONG, f"{victim.name} did not die at the point {fault.point}:\n{victim.tail()}")]


def _fenced(bench: Bench, fault: Fault) -> list[Finding]:
    """See the woken relay find out that another one is active."""
    victim = _process(bench, fault)
    if victim.wait_until_it_says(STANDS_BY):
        return []
    return [Finding(Kind.WRONG, f"{victim.name} woke up and does not stand by:\n{victim.tail()}")]


def _rebalance(bench: Bench, victim: Process) -> None:
    """Have the other consumer leave, and come back when the victim has taken over all: it must give half of it back."""
    other = bench.processes["consumer-2"]
    other.stop()
    until(lambda: held(victim.said()) == bench.partitions, GONE_SECONDS, f"{victim.name} holds all partitions")
    other.start()


def held(log: str) -> int:
    """Return how many partitions a consumer has, by what it has logged since its start."""
    assigned = re.findall(r"(\d+) more partitions assigned", log)
    revoked = re.findall(r"(\d+) partitions revoked", log)
    return sum(map(int, assigned)) - sum(map(int, revoked))


def _kill(bench: Bench, fault: Fault) -> None:
    if fault.is_rewind:
        ledger.set_back(bench.platform.tables, SET_BACK)
    elif fault.victim in bench.platform.killable:
        bench.platform.killable[fault.victim].kill()
    else:
        _process(bench, fault).kill()


def _restart(bench: Bench, fault: Fault) -> None:
    if fault.victim in bench.platform.killable:
        bench.platform.start(fault.victim)
    elif fault.is_zombie:
        _process(bench, fault).wake()
    elif not fault.is_rewind:
        _process(bench, fault).start()


def _process(bench: Bench, fault: Fault) -> Process:
    return bench.processes[NAMES[fault.victim]]
