"""Django's LOGGING: which logger says how much, and in which form."""

from typing import Any


def configuration(level: str, form: str) -> dict[str, Any]:
    """Return Django's LOGGING for a level's name and a form of lines, `console` or `json`."""
    formatters = {"console": {"()": "marketplace.logs.LineFormatter"}, "json": {"()": "marketplace.logs.LineFormatter"}}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request": {"()": "marketplace.logs.RequestFilter"},
            "unforeseen": {"()": "marketplace.logs.UnforeseenFilter"},
        },
        "formatters": {"line": formatters[form]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
        "loggers": {
            "django": {"handlers": [], "level": "INFO"},  # no second console handler with DEBUG
            # A client's mistake is no error of ours, and what a view raised has been logged where it was answered.
            "django.request": {"level": "ERROR", "filters": ["unforeseen"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},  # whoever scans this address
            "axes": {"level": "WARNING"},  # failures and lock-outs
            "pymongo": {"level": "INFO"},  # DEBUG logs whole commands, password hashes in them
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
