"""MongoDB's primary stops, is killed and comes back under writes: clear answers, and no write is done by half."""

import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.servers.mongod import Mongod
from tests.servers.server import Server
from tests.system.faults.processes import Api, manage
from tests.waiting import until

DATABASE = "shop"
CLIENTS = 4
WRITES = 100  # between two faults
FAULTS: list[Callable[[Server], None]] = [Server.stop, Server.kill, Server.kill]
RECOVERY_SECONDS = 30
SLOWEST_SECONDS = 4.5  # three seconds, and slack for a machine that is busy with other tests


class Writers:
    """Clients that sign users up and change them, and remember what they were answered."""

    def __init__(self, port: int) -> None:
        self.acknowledged: dict[str, int] = {}  # the version that each user has at least
        self.statuses: Counter[int] = Counter()
        self.complaints: list[str] = []
        self._origin = f"http://127.0.0.1:{port}"
        self._numbers = itertools.count()
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have them write for the length of the block."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            self._working = [pool.submit(self._work) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self._stop.set()
            self._check()

    def wait_for_writes(self, number: int) -> None:
        """Wait until so many more writes have been acknowledged."""
        goal = self.written() + number
        until(lambda: self._check() or self.written() >= goal, RECOVERY_SECONDS, f"{number} more writes")

    def _check(self) -> None:
        """Raise what has ended one of them."""
        for future in self._working:
            if future.done():
                future.result()

    def written(self) -> int:
        """Return how many writes have been acknowledged."""
        return self.statuses[201] + self.statuses[200]

    def _work(self) -> None:
        while not self._stop.is_set():
            email = f"u{next(self._numbers)}@example.com"
            user = self._ask("POST", "/users", {"email": email, "password": "long enough", "display_name": "Ada"})
            if user:
                self.acknowledged[user["id"]] = 1
                changed = self._ask("PATCH", f"/users/{user['id']}", {"bio": "x"}, user["id"])
                self.acknowledged[user["id"]] = changed["version"] if changed else 1

    def _ask(self, method: str, path: str, body: Any, user_id: str = "") -> Any:
        """Return the answer to a write that was done; otherwise None, and complain about anything but a clear 503."""
        headers = {"Content-Type": "application/json"} | ({"X-User-ID": user_id} if user_id else {})
        request = urllib.request.Request(self._origin + path, json.dumps(body).encode(), headers, method=method)
        begun = time.monotonic()
        answer = None
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.loads(response.read())
                self.statuses[response.status] += 1
        except urllib.error.HTTPError as error:
            self.statuses[error.code] += 1
            told = json.loads(error.read())
            if error.code != 503 or told["error"]["code"] != "INTERNAL_ERROR" or not error.headers["Retry-After"]:
                self.complaints.append(f"{method} {path}: {error.code} {told}")
        if (seconds := time.monotonic() - begun) > SLOWEST_SECONDS:
            self.complaints.append(f"{method} {path} took {seconds:.1f} s")
        return answer


def half_writes(client: "MongoClient[Any]") -> list[str]:
    """Return the users whose outbox events are not exactly those of their versions, at one moment of the database."""
    database = client[DATABASE]
    events: dict[str, list[int]] = defaultdict(list)
    with client.start_session(snapshot=True) as session:
        for event in database.outbox.find({}, {"key": 1, "version": 1}, session=session):
            events[event["key"]].append(event["version"])
        versions = {str(user["_id"]): user["version"] for user in database.users.find({}, session=session)}
    return [
        f"{key}: version {versions.get(key)}, events {sorted(events[key])}"
        for key in versions.keys() | events.keys()
        if sorted(events[key]) != list(range(1, versions.get(key, 0) + 1))
    ]


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path / "mongod") as mongod:
        yield mongod


@pytest.fixture
def api(mongod: Mongod, tmp_path: Path) -> Iterator[Api]:
    """The API alone: without a relay, the outbox keeps every event."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUST_IDENTITY_HEADERS": "true",
        "DATABASE_NAME": DATABASE,
        "MONGODB_URL": mongod.address,
    }
    manage("create_indexes", "--skip-checks", environment=environment)
    api = Api(environment, tmp_path)
    api.start()
    yield api
    api.stop()


def test_no_half_writes(mongod: Mongod, api: Api) -> None:
    writers = Writers(api.port)
    with closing(MongoClient(mongod.address)) as client:
        with writers.at_work():
            writers.wait_for_writes(WRITES)
            for fault in FAULTS:
                refused = writers.statuses[503]
                fault(mongod)
                until(lambda before=refused: writers.statuses[503] > before, RECOVERY_SECONDS, "a 503")
                mongod.start()
                writers.wait_for_writes(WRITES)
                assert half_writes(client) == []
        assert half_writes(client) == []
        stored = {str(user["_id"]): user["version"] for user in client[DATABASE].users.find()}
    assert writers.complaints == []
    assert {key for key, version in writers.acknowledged.items() if stored.get(key, 0) < version} == set()
