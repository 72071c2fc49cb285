"""The load: clients in threads of their own, from the start of a block to its end."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.database import Database

from tests.system.faults.actors import Actor
from tests.system.faults.calls import Client, Session
from tests.system.faults.market import Market
from tests.system.faults.oracle import Oracle

CLIENTS = 4
# Between two writes of a client: the servers and the bench share the machine.
THINK_SECONDS = 0.03


class Driver:
    """All clients. Between two `load` blocks nothing is on its way, and no outcome is unknown."""

    def __init__(self, seed: int, port: int, oracle: Oracle, mongodb: Database[Any]) -> None:
        self.session = Session(port)
        self._oracle = oracle
        self._errors: list[BaseException] = []
        market = Market()
        self._clients = [Client(self.session) for _ in range(CLIENTS)]
        self._actors = [
            Actor(str(n), random.Random(f"{seed}-{n}"), client, oracle, market, mongodb)
            for n, client in enumerate(self._clients)
        ]
        for actor in self._actors:
            actor.settle_in()

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients:
            client.close()

    @contextmanager
    def load(self) -> Iterator[None]:
        """Have all clients work for the length of the block. Raises what went wrong in one of them."""
        stop = threading.Event()
        threads = [threading.Thread(target=self._work, args=(actor, stop)) for actor in self._actors]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self.session.abandon()
            raise
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if self._errors:
            raise self._errors.pop()

    def wait_for_writes(self, number: int, seconds: float) -> None:
        """Wait until so many more writes have been acknowledged. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        wanted = self._oracle.writes + number
        while self._oracle.writes < wanted:
            if self._errors:
                raise self._errors.pop()
            if time.monotonic() > deadline:
                said = "\n".join(self.session.take_complaints()[:5])
                raise TimeoutError(f"not {number} writes within {seconds:g} s; the API answered:\n{said}")
            time.sleep(0.02)

    def _work(self, actor: Actor, stop: threading.Event) -> None:
        try:
            while not stop.wait(THINK_SECONDS):
                actor.step()
        except BaseException as error:  # noqa: BLE001  # raised again where the load ends
            self._errors.append(error)
