"""What is fuzzed: an embedded mongod, SQLite for staff, and granian with one worker. All of it ends with the block."""

import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from marketplace.embedded.mongod import EmbeddedMongo, free_port
from marketplace.embedded.processes import start_child, stop_child

START_SECONDS = 60
STOP_SECONDS = 20
# High, not off: their headers are part of the answers.
UNREACHABLE = "1000000000"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    "SECRET_KEY": "only-for-fuzzing-and-long-enough-for-every-check-0123456789",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "CORS_ALLOWED_ORIGINS": "https://shop.example.com",
    "HTTPS_ONLY": "false",
    "TRUST_IDENTITY_HEADERS": "false",
    "LOG_LEVEL": "ERROR",
    "MONGODB_TIMEOUT_MS": "20000",  # a busy machine is no finding
    **dict.fromkeys(("RATE_LIMIT_SIGN_UP", "RATE_LIMIT_LOGIN", "RATE_LIMIT_REFRESH"), UNREACHABLE),
    **dict.fromkeys(("RATE_LIMIT_LOGIN_ATTEMPTS", "RATE_LIMIT_DEFAULT", "STAFF_LOGIN_FAILURES"), UNREACHABLE),
}


@contextmanager
def running() -> Iterator[str]:
    """Serve an empty marketplace for the length of the block; give its URL. Django is set up for it here, too.

    Raises EmbeddedUnavailableError without a mongod, RuntimeError when the API does not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marketplace-fuzz-")))
        mongod = EmbeddedMongo(folder / "mongodb")
        stack.callback(mongod.stop)
        os.environ |= ENVIRONMENT | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'fuzz.sqlite3'}",
            "MONGODB_URL": mongod.start(),
            "DATABASE_NAME": "fuzz",
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",  # nobody: the API does not need it
        }
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("create_indexes", verbosity=0)
        yield stack.enter_context(_granian())


@contextmanager
def _granian() -> Iterator[str]:
    port = str(free_port())
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", port, "--workers", "1", "--no-ws"]
    command += ["--blocking-threads", "4", "--log-level", "warning", "marketplace.wsgi:application"]
    process = start_child(command, cwd=settings.BASE_DIR)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The API does not answer at {url}")
            time.sleep(0.1)  # nothing to await: the port opens when it opens
        yield url
    finally:
        stop_child(process, STOP_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310  # our own address
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
