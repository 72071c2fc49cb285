"""The API as a process of its own, with a MongoDB and nothing else."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from marketplace.embedded.mongod import free_port


@pytest.fixture
def api(mongodb: str, tmp_path: Path) -> Iterator[str]:
    """The address of an API whose Kafka and SQL database are out of reach."""
    with serving(mongodb, settings.DATABASE_NAME, tmp_path) as address:
        yield address


@contextmanager
def serving(mongodb: str, database: str, folder: Path, **environment: str) -> Iterator[str]:
    """Run the API on its own for the length of the block; give its address."""
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "MONGODB_URL": mongodb,
        "DATABASE_NAME": database,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": f"sqlite:///{folder}/no/such/folder/analytics.sqlite3",
        **environment,
    }
    # As many threads as quickstart and the image have.
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "--blocking-threads", "4"]
    command.append("marketplace.wsgi:application")
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=settings.BASE_DIR, env=os.environ | environment)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            urllib.request.urlopen(url, timeout=20).close()
        except urllib.error.URLError:
            time.sleep(0.1)  # nothing to await: the port opens when it opens
        else:
            return
    pytest.fail("the API did not come up")
