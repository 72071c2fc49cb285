"""Minimal Debian systems of any suite, by debootstrap. Needs root."""

import shutil
import subprocess
from pathlib import Path

from tests.servers.server import run


def bootstrap(folder: Path, suite: str, *packages: str) -> None:
    """Install a minimal Debian with these packages into an empty folder. Raises RuntimeError.

    In a mount namespace: what debootstrap mounts there ends with it.
    """
    include = f"--include={','.join(packages)}"
    run(["unshare", "--mount", "debootstrap", "--variant=minbase", include, suite, str(folder), mirror()])
    shutil.rmtree(folder / "var" / "cache" / "apt")


def mirror() -> str:
    """Return where this machine gets its Debian packages from. Raises RuntimeError when apt does not know."""
    targets = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *targets]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if not found:
        raise RuntimeError("apt has no Debian mirror that packages could come from; run apt-get update")
    return found[0]
