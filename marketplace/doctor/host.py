"""The doctor on the host that it runs on: folders, disks, time zones."""

import os
import shutil
import tempfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from marketplace.doctor.registry import Finding, Visit, check, fault, ok, warning

GIB: Final = 1 << 30
# Below this databases and logs soon cannot write; and when somebody should make room.
FAULT_BYTES: Final = GIB
# For temporary files alone: the metrics of workers. A container's is memory, and small.
TEMPORARY_BYTES: Final = 16 << 20
WARNING_SHARE, WARNING_BYTES = 0.1, 20 * GIB
_OTHERS: Final = 0o077
_WORLD_WRITABLE: Final = 0o002


def room(free: float, total: float, place: str, remedy: str, least: float = FAULT_BYTES) -> Finding:
    """Return the finding on a disk's free bytes, of which it has to have some."""
    found = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free at {place}"
    if free < least:
        return fault(found, remedy)
    if free < WARNING_BYTES and free < WARNING_SHARE * total:
        return warning(found, remedy)
    return ok(found)


@check("host", "data folder")
def data_folder(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Look whether DATA_DIR can be used, and by nobody else."""
    folder = settings.DATA_DIR
    if not folder.is_dir():
        yield warning(f"{folder} does not exist", f"mkdir -p {folder}, or set DATA_DIR to a folder of this account")
    elif not os.access(folder, os.W_OK | os.X_OK):
        if not _holds_data():
            yield ok(f"{folder} is for reading only: data are on servers")
            return
        yield fault(f"{folder} cannot be written", f"chown it to this account ({os.geteuid()}), or set DATA_DIR")
    elif folder.stat().st_mode & _WORLD_WRITABLE:
        yield warning(f"everybody on this host may write to {folder}", f"chmod o-w {folder}")
    elif _is_open(folder / "secret_key"):
        key = folder / "secret_key"
        yield warning(f"others on this host may read {key}", f"chmod 600 {key}")
    else:
        yield ok(f"{folder} can be written")


def _holds_data() -> bool:
    """Whether an embedded server, SQLite or the development key keeps something there."""
    is_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    return settings.DEBUG or is_sqlite or not settings.MONGODB_URL


def _is_open(file: Path) -> bool:
    return file.exists() and bool(file.stat().st_mode & _OTHERS) and not settings.DEBUG


@check("host", "disk")
def disk(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look how much room there is for data and for temporary files."""
    places = {Path(tempfile.gettempdir()): TEMPORARY_BYTES, _existing(settings.DATA_DIR): FAULT_BYTES}
    for place, least in {place.stat().st_dev: (place, least) for place, least in places.items()}.values():
        usage = shutil.disk_usage(place)
        yield room(usage.free, usage.total, str(place), f"Make room on the disk of {place}.", least)


def _existing(folder: Path) -> Path:
    """Return the folder or the nearest one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


@check("host", "time zones")
def time_zones(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001
    """Look whether the names of time zones are known; suppliers' are checked by them."""
    if zoneinfo.available_timezones():
        yield ok(f"{len(zoneinfo.available_timezones())} time zones are known")
    else:
        yield fault("no time zones are known", "pip install -r requirements/base.txt, which has tzdata")
