"""A container's health check: `python -m marketplace.observability.probe [URL ...]`.

Without Django, which would take longer to start than the process takes to answer; so it reads METRICS_PORT itself.
"""

import argparse
import http.client
import os
import sys
from http import HTTPStatus
from urllib.parse import urlsplit

SECONDS = 5.0
DEFAULT_PORT = 9464


def main(arguments: list[str] | None = None) -> int:
    """Ask each URL, print a line for each, and return 0 when all of them answer 200, else 1."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.observability.probe", description=main.__doc__)
    live = f"http://127.0.0.1:{os.environ.get('METRICS_PORT') or DEFAULT_PORT}/live"
    parser.add_argument("url", nargs="*", default=[live], help=f"what to ask (default: {live})")
    answers = {url: _ask(url) for url in parser.parse_args(arguments).url}
    for url, (_, said) in answers.items():
        sys.stdout.write(f"{url}: {said}\n")
    return 0 if all(well for well, _ in answers.values()) else 1


def _ask(url: str) -> tuple[bool, str]:
    """Return whether it answers 200, and what it says. No proxy of the environment stands between."""
    parts = urlsplit(url)
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = " ".join(answer.read().decode(errors="replace").split())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"no answer: {error}"
    return answer.status == HTTPStatus.OK, f"{answer.status} {body}"


if __name__ == "__main__":
    sys.exit(main())
