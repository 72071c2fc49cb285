"""What part of the marketplace a process plays, as its log lines, metrics and traces say."""

from collections.abc import Sequence

_ROLES = {"serve": "api", "relay_events": "relay", "consume_events": "consumer"}


def of(command_line: Sequence[str]) -> str:
    """Return `api`, `relay`, `consumer`, or the name of another management command. A plain WSGI server is an `api`."""
    program, *arguments = command_line or [""]
    if not program.endswith(("manage.py", "django-admin", "django/__main__.py")):
        return "api"
    command = next((one for one in arguments if not one.startswith("-")), "manage")
    return _ROLES.get(command, command)
