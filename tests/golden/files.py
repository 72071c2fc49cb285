"""The golden events: a folder for each version, the rows that they stand for, and the checksums of all of it.

Files are added, with the release of a version, and never changed: they are what consumers have in their topics.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from analytics.decoding import decode
from marketplace.representation import to_json

HERE = Path(__file__).parent
SUMS = HERE / "SHA256SUMS"  # as sha256sum writes and checks it
ROWS = "rows.json"
ALL = "all"  # the rows after all events but the extreme ones, in the order of their times


def versions() -> list[str]:
    """Return the versions that have golden events."""
    return sorted(folder.name for folder in HERE.iterdir() if (folder / ROWS).exists())


def events(version: str) -> dict[str, bytes]:
    """Return a version's events by name."""
    return {path.stem: path.read_bytes() for path in sorted((HERE / version).glob("*.json")) if path.name != ROWS}


def rows(version: str) -> dict[str, Any]:
    """Return the rows of a version's events, by the event's name and table."""
    found: dict[str, Any] = orjson.loads((HERE / version / ROWS).read_bytes())
    return found


def decoded(value: bytes) -> Any:
    """Return a published event as the consumer decodes it."""
    event = orjson.loads(value)
    return decode(event["event_type"].partition(".")[0], event["entity_id"].encode(), value)


def write(version: str, events: Mapping[str, bytes], rows: Mapping[str, Any]) -> None:
    """Add the golden events of a version. Raises FileExistsError when it has some."""
    folder = HERE / version
    folder.mkdir()
    for name, value in events.items():
        (folder / f"{name}.json").write_bytes(value)
    (folder / ROWS).write_bytes(to_json(dict(sorted(rows.items())), indented=True) + b"\n")
    with SUMS.open("a") as sums:
        sums.writelines(f"{digest}  {name}\n" for name, digest in digests() if name.startswith(f"{version}/"))


def digests() -> Iterator[tuple[str, str]]:
    """Yield name and SHA-256 of every golden file."""
    for path in sorted(HERE.glob("*/*.json")):
        yield str(path.relative_to(HERE)), hashlib.sha256(path.read_bytes()).hexdigest()
