"""Where what servers need is kept from one run to the next, outside of the checkout."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder of that name, filled once by `fill`; whoever else asks for it meanwhile waits.

    It gets its name when it is complete, so an interrupted preparation starts over.
    """
    parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = parent / f"marketplace-{name}"
    if not folder.exists():
        parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _fill(folder, fill)
    return folder


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir()
    fill(unfinished)
    unfinished.rename(folder)
