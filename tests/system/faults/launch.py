"""`python -m tests.system.faults.launch [POINT:COUNT[:STOP]] -- ARGUMENTS`: manage.py, killed or stopped at a point.

A consumer counts the messages that it stores.
"""

import sys

import django
from django.core.management import execute_from_command_line

from tests.system.faults import counting, points


def main(arguments: list[str]) -> None:
    """Run manage.py with the arguments after `--`. Raises LookupError as `points.install`."""
    if "--" not in arguments[:2]:
        sys.exit(__doc__)
    separator = arguments.index("--")
    django.setup()
    if arguments[separator + 1] == "consume_events":
        counting.install()
    for order in arguments[:separator]:
        points.install(order)
    execute_from_command_line(["manage.py", *arguments[separator + 1 :]])


if __name__ == "__main__":
    main(sys.argv[1:])
