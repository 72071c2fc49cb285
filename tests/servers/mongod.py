"""mongod as the marketplace embeds it, with what faults need besides."""

from pathlib import Path

from marketplace.embedded.mongod import REPLICA_SET, EmbeddedMongo
from tests.servers.server import Server


class Mongod(Server):
    """A replica set of one node; it answers when it is primary."""

    name = "mongod"
    variable = "MONGODB_URL"

    def __init__(self, folder: Path) -> None:
        self._mongod = EmbeddedMongo(folder)

    @property
    def address(self) -> str:
        return f"mongodb://127.0.0.1:{self._mongod.port}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int:
        if self._mongod.pid is None:
            raise RuntimeError("mongod is not running")
        return self._mongod.pid

    def is_running(self) -> bool:
        return self._mongod.pid is not None

    def start(self) -> None:
        self._mongod.start()

    def _end(self) -> None:
        self._mongod.stop()
