"""Django's LOGGING: which logger says how much, and in which form."""

from typing import Any

# The class that writes the lines of each LOG_FORMAT.
FORMATTERS: dict[str, str] = {"console": "marketplace.logs.LineFormatter", "json": "marketplace.logs.JsonFormatter"}


def configuration(level: str, form: str) -> dict[str, Any]:
    """Return Django's LOGGING for a level's name and a form of lines, one of FORMATTERS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request": {"()": "marketplace.logs.RequestFilter"},
            "unforeseen": {"()": "marketplace.logs.UnforeseenFilter"},
        },
        "formatters": {"line": {"()": FORMATTERS[form]}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
        "loggers": {
            "django": {"handlers": [], "level": "INFO"},  # no second console handler with DEBUG
            # A client's mistake is no error of ours, and what a view raised has been logged where it was answered.
            "django.request": {"level": "ERROR", "filters": ["unforeseen"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},  # whoever scans this address
            "environ": {"level": "WARNING"},  # it misses a .env file
            "axes": {"level": "WARNING"},  # failures and lock-outs
            "pymongo": {"level": "INFO"},  # DEBUG logs whole commands, password hashes in them
            "urllib3": {"level": "INFO"},  # a line for every batch of traces
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
