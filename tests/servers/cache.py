"""Where what servers need is kept from one run to the next, outside of the checkout."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder of that name, filled once by `fill`.

    It gets its name when it is complete: an interrupted preparation starts over, and of two at once one wins.
    """
    parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = parent / f"marketplace-{name}"
    if not folder.exists():
        parent.mkdir(parents=True, exist_ok=True)
        unfinished = parent / f"marketplace-{name}.{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            fill(unfinished)
            _publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _publish(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():
            raise
