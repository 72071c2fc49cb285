"""What must hold of the image and of running containers. Each function raises RuntimeError that says what does not."""

import json
import re
from typing import Any

from tests.stack.docker import docker
from tests.stack.project import IMAGE, OURS, SERVERS, Project, error_lines, logs, service

# Nothing that builds, installs or fetches, and nothing of a developer's.
UNWANTED = ("gcc", "cc", "c++", "make", "pip", "pip3", "pytest", "ruff", "mypy", "git", "curl", "wget")
LOOK = """\
for name in %s; do command -v $name; done
find / -xdev \\( -name '.env*' -o -name tests -o -name .git -o -name node_modules \\) -path '/srv/*'
find /srv -xdev -writable
python -c 'import importlib.util as u; print("\\n".join(n for n in ("pip", "pytest", "mongomock") if u.find_spec(n)))'
"""
PARTITIONS = 30  # 6 of each of the 5 topics
ASK = """\
import sys, urllib.request
for path in ("/live", "/ready", "/metrics"):
    answer = urllib.request.urlopen("http://127.0.0.1:9464" + path, timeout=10).read().decode()
    print(path, len([line for line in answer.splitlines() if line.startswith("marketplace_")]) or answer)
"""


def image() -> str:
    """Look into the image for what should not be there, and return its size and user."""
    found = docker("run", "--rm", "--network=none", IMAGE, "sh", "-c", LOOK % " ".join(UNWANTED)).split()
    _need(not found, f"the image has {', '.join(found)}")
    [told] = json.loads(docker("image", "inspect", IMAGE))
    _need(told["Config"]["User"] == "10001", f"the image's user is {told['Config']['User']!r}")
    return f"{told['Size'] / 1e6:.0f} MB, user {told['Config']['User']}; no compiler, pip, tests, .env or writable file"


def no_secrets(project: Project) -> None:
    """The secrets of this run are neither in the image nor in any log."""
    places = {"the image": docker("history", "--no-trunc", IMAGE) + docker("image", "inspect", IMAGE)}
    places |= {f"the log of {service(each)}": "\n".join(logs(each)) for each in project.containers()}
    for place, text in places.items():
        for name, secret in project.secrets.items():
            _need(secret not in text, f"{place} has the {name}")


def processes(project: Project) -> list[str]:
    """No process of any container is root's; return who they are."""
    users: dict[str, set[str]] = {}
    for each in project.containers():
        if each["State"]["Running"]:
            users.setdefault(service(each), set()).update(_users(each))
    _need(not any("0" in uids for uids in users.values()), f"root runs something: {users}")
    return [f"{name}: user {', '.join(sorted(uids))}" for name, uids in sorted(users.items())]


def confinement(project: Project) -> None:
    """Ours have no capabilities, cannot gain any, and cannot write to their file systems; only the API has a port."""
    for each in project.containers():
        host, name = each["HostConfig"], service(each)
        _need("no-new-privileges" in str(host["SecurityOpt"]), f"{name} may gain privileges")
        bound = {port for port, to in each["NetworkSettings"]["Ports"].items() if to}
        _need(bound == ({"8000/tcp"} if name == "app" else set()), f"{name} has the ports {bound}")
        if name not in SERVERS:
            _need(host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], f"{name} is not confined")


def operators_port(project: Project) -> list[str]:
    """Each role answers /live, /ready and /metrics inside its container; return how many samples it has."""
    said = {name: project.run_in(name, "python", "-c", ASK).splitlines() for name in OURS}
    for name, (live, ready, metrics) in said.items():
        _need('"ok"' in live and '"ok"' in ready, f"{name} says {live} {ready}")
        _need(int(metrics.split()[1]) > 0, f"{name} has no metrics")
    return [f"{name}: alive, ready, {metrics.split()[1]} samples" for name, (_, _, metrics) in said.items()]


def shares(project: Project) -> str:
    """Each consumer has partitions, no partition has two, and one relay is active; return how they are shared."""
    count = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
    asked = [docker("exec", each["Id"], "python", "-c", count) for each in project.containers("consumer")]
    held = [re.findall(r"^marketplace_consumer_lag_events{(.+)} ", metrics, re.MULTILINE) for metrics in asked]
    _need(all(held), f"partitions are shared {[len(each) for each in held]}")
    _need(len(set(sum(held, []))) == sum(map(len, held)) == PARTITIONS, f"two have one partition, or none has: {held}")
    relays = [docker("exec", each["Id"], "python", "-c", count) for each in project.containers("relay")]
    active = [metrics.count("\nmarketplace_relay_active 1") for metrics in relays]
    _need(sum(active) == 1, f"active relays: {active}")
    return f"{' + '.join(str(len(each)) for each in held)} partitions; one of {len(active)} relays is active"


def json_logs(project: Project) -> list[str]:
    """Every line of ours is a JSON object with a time, a level and a role; return how many there are of each."""
    counted = []
    for name in OURS:
        lines = [line for each in project.containers(name) for line in error_lines(each)]
        for line in lines:
            _need(_is_log_line(line), f"{name} has written {line!r}")
        counted.append(f"{name}: {len(lines)} lines of JSON")
    return counted


def restarts(project: Project, allowed: frozenset[str] = frozenset()) -> None:
    """No container has been started again by Docker, but those of the allowed services."""
    for each in project.containers():
        count, name = each["RestartCount"], service(each)
        _need(count == 0 or name in allowed, f"{name} ended by itself {count} times:\n" + "\n".join(logs(each)[-20:]))


def _users(container: dict[str, Any]) -> set[str]:
    """Return whose the main process and its descendants are; not the health check's, which is a process beside it."""
    family, users = {str(container["State"]["Pid"])}, set()
    for line in docker("top", container["Id"], "-eo", "pid,ppid,uid", "--sort", "start_time").splitlines()[1:]:
        pid, parent, user = line.split()
        if pid in family or parent in family:
            family.add(pid)
            users.add(user)
    return users


def _is_log_line(line: str) -> bool:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and {"timestamp", "level", "role", "event"} <= found.keys()


def _need(condition: bool, otherwise: str) -> None:
    if not condition:
        raise RuntimeError(otherwise)
