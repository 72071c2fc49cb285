"""One run of the compose file, under a project name of its own: its containers, and what they say."""

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marketplace.embedded.mongod import free_port
from tests.stack.docker import docker, succeed

ROOT = Path(__file__).parents[2]
IMAGE = "marketplace-stack"
HOST = "shop.example.com"
OURS = ("app", "relay", "consumer")
SERVERS = ("mongodb", "kafka", "mysql")
HEALTHY_SECONDS = 180


class Project:
    """The compose file as it is, with secrets in an .env of this run."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.name = f"marketplace-stack-{os.getpid()}"
        self.port = free_port()
        self.secrets = {"SECRET_KEY": secrets.token_urlsafe(48), "MYSQL_PASSWORD": secrets.token_hex(16)}
        self.shown = " ".join(command)
        self._folder = folder
        env_file = folder / ".env"
        variables = self.secrets | {
            "ALLOWED_HOSTS": HOST,
            "CORS_ALLOWED_ORIGINS": "",
            "PORT": str(self.port),
            "IMAGE": IMAGE,
        }
        env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        place = ["--project-directory", ROOT, "--file", ROOT / "docker-compose.yml", "--env-file", env_file]
        self.command = [*command, "--project-name", self.name, *map(str, place)]

    def compose(self, *arguments: str) -> str:
        """Run a compose command and return what it prints. Raises RuntimeError when it fails."""
        return succeed([*self.command, *arguments], _environment())

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return what Docker knows of the containers of a service, or of all, in the order of their names."""
        labels = [f"label=com.docker.compose.project={self.name}"]
        labels += [f"label=com.docker.compose.service={service}"] if service else []
        filters = [part for label in labels for part in ("--filter", label)]
        ids = docker("ps", "--all", "--quiet", *filters).split()
        found: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        one_offs = [each for each in found if each["Config"]["Labels"].get("com.docker.compose.oneoff") == "True"]
        return sorted((each for each in found if each not in one_offs), key=lambda each: str(each["Name"]))

    def run_in(self, service: str, *command: str) -> str:
        """Run a command in the first container of a service and return what it prints. Raises RuntimeError."""
        return docker("exec", self.containers(service)[0]["Id"], *command)

    def sql(self, query: str) -> list[list[str]]:
        """Return the rows of a query, as texts, asked with the client that is in MySQL's own container."""
        client = (
            'MYSQL_PWD="$MYSQL_PASSWORD" exec mysql --user=marketplace --batch --skip-column-names marketplace "$@"'
        )
        rows = self.run_in("mysql", "sh", "-c", client, "mysql", f"--execute={query}")
        return [line.split("\t") for line in rows.splitlines()]

    def wait_until_healthy(self) -> float:
        """Wait until the migrate job is done and everything else healthy; return how long that took.

        Raises RuntimeError that names what is not, with the end of its log.
        """
        began = time.monotonic()
        while lagging := [each for each in self.containers() if not is_well(each)]:
            failed = [each for each in lagging if each["State"]["ExitCode"] or each["State"]["Status"] == "dead"]
            if failed or time.monotonic() - began > HEALTHY_SECONDS:
                raise RuntimeError("\n".join(map(_complaint, failed or lagging)))
            time.sleep(0.5)  # Docker's events have no end of a health check
        return time.monotonic() - began

    def take_down(self) -> None:
        """Remove containers, networks and volumes, also when they are half started. Raises RuntimeError."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "30")
        if left := [each["Id"] for each in self.containers()]:
            docker("rm", "--force", "--volumes", *left)
        shutil.rmtree(self._folder)

    def shell_command(self, *arguments: str) -> str:
        """Return the command line that does something with this project, for whoever wants to look at it."""
        return " ".join([*self.command, *arguments])


def compose_command(wanted: str) -> list[str]:
    """Return how compose is called: as asked for, or Compose v2 where it is there, else docker-compose.

    Raises RuntimeError when there is neither.
    """
    choices = [wanted.split()] if wanted else [["docker", "compose"], ["docker-compose"]]
    for choice in choices:
        if shutil.which(choice[0]) and not subprocess.run([*choice, "version"], capture_output=True).returncode:
            return choice
    raise RuntimeError("There is no compose: " + " and ".join(" ".join(choice) for choice in choices))


def is_well(container: dict[str, Any]) -> bool:
    """Whether a container does what it should: the job is done, the others are healthy."""
    state = container["State"]
    if service(container) == "migrate":
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)
    return bool(state.get("Health", {}).get("Status") == "healthy")


def service(container: dict[str, Any]) -> str:
    """Return the name of a container's service."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def logs(container: dict[str, Any], *options: str) -> list[str]:
    """Return the lines that a container has written, to both of its outputs."""
    done = _logs(container, *options)
    return (done.stdout + done.stderr).splitlines()


def error_lines(container: dict[str, Any]) -> list[str]:
    """Return the lines on its standard error, where logs go; commands say on the other what came of them."""
    return _logs(container).stderr.splitlines()


def _logs(container: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", "logs", *options, container["Id"]], capture_output=True, text=True)


def _complaint(container: dict[str, Any]) -> str:
    state = container["State"]
    health = state.get("Health", {})
    said = [check["Output"].strip() for check in health.get("Log", [])[-1:]]
    end = [*said, *logs(container, "--tail", "20")]
    return f"{service(container)} is {state['Status']}, {health.get('Status', 'no health')}:\n" + "\n".join(end)


def _environment() -> dict[str, str]:
    """Return ours without the marketplace's variables, which would count before those of the .env file."""
    named = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in os.environ.items() if name not in named}
