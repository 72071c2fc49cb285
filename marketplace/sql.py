"""The SQL database as requests use it: no request waits for one that hangs for longer than these limits."""

from typing import Any, Final

from django.conf import settings

# For the answer to one statement. Reports take a fraction of that, and exports read their rows in many statements.
ANSWER_SECONDS: Final = 10
CONNECT_SECONDS: Final = 2


def limit_waiting() -> None:
    """Limit what connections of this process wait for. Options in a database's URL may change how long for an answer.

    Not in the settings: commands may wait, because a migration's statement takes as long as it takes.
    """
    for database in settings.DATABASES.values():
        if database["ENGINE"].endswith("mysql"):
            database["OPTIONS"] = _limited(database["OPTIONS"])


def _limited(options: dict[str, Any]) -> dict[str, Any]:
    connect = min(CONNECT_SECONDS, options["connect_timeout"])
    return {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS} | options | {"connect_timeout": connect}
