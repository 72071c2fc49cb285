"""The load generator: wrk, driven the same way for every service that is compared."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parent / "requests.lua"
CONNECTIONS = 16
JSON_HEADERS = "Accept: application/json|Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk measured."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    bytes_per_answer: float


def write_requests(path: Path, requests: Iterable[tuple[str, str, str, bytes]]) -> Path:
    """Write requests (method, path, extra headers, body) as `requests.lua` reads them; return the file's path."""
    with path.open("wb") as file:
        for method, target, headers, body in requests:
            joined = f"{JSON_HEADERS}|{headers}" if headers else JSON_HEADERS
            file.write(f"{method}\t{target}\t{joined}\t".encode() + body + b"\n")
    return path


def run(base_url: str, requests: Path, seconds: float) -> Load:
    """Send the requests for so many seconds over CONNECTIONS connections. Raises RuntimeError on any failed one."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed (Debian and Ubuntu: apt-get install wrk)")
    command = [
        wrk,
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds:g}s",
        "--timeout=10s",
        "-s",
        SCRIPT,
        base_url,
        "--",
        requests,
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.partition("RESULT ")[2])
    if result["refused"] or result["broken"] or not result["requests"]:
        raise RuntimeError(f"{base_url}: not every request of {requests.name} was answered with 2xx: {result}")
    return Load(
        requests=result["requests"],
        per_second=result["requests"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        bytes_per_answer=result["bytes"] / result["requests"],
    )
