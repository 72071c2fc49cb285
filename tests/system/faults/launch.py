"""`python -m tests.system.faults.launch POINT:COUNT[:STOP] -- ARGUMENTS`: manage.py, killed or stopped at a point."""

import sys

import django
from django.core.management import execute_from_command_line

from tests.system.faults import points


def main(arguments: list[str]) -> None:
    """Run manage.py with the arguments after `--`. Raises LookupError as `points.install`."""
    if arguments[1:2] != ["--"]:
        sys.exit(__doc__)
    django.setup()
    points.install(arguments[0])
    execute_from_command_line(["manage.py", *arguments[2:]])


if __name__ == "__main__":
    main(sys.argv[1:])
