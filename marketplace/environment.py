"""How settings read the environment: django-environ, with one clear line for a value that makes no sense.

Secrets may be in these values (DATABASE_URL has a password), so a message names the variable and says what it takes.
"""

import logging
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

# What a database URL of each scheme has to name.
_NEEDED = {"mysql": ("HOST", "NAME"), "sqlite": ("NAME",)}
_SQLITE = {
    # WAL lets admin and consumer work side by side; IMMEDIATE makes a second writer wait instead of failing midway.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
}
_MYSQL = {
    "charset": "utf8mb4",
    "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone='+00:00'",
    "isolation_level": "read committed",
    "connect_timeout": 5,
}


class Environment(environ.Env):
    """django-environ's readers. All raise ImproperlyConfigured."""

    def int(self, name: str, default: Any = environ.Env.NOTSET, *, minimum: int = 0) -> int:
        """Return a whole number of at least `minimum`."""
        try:
            value: int = super().int(name, default=default)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise ImproperlyConfigured(f"{name} has to be a whole number of at least {minimum}.")
        return value

    def share(self, name: str, default: float) -> float:
        """Return a number from 0 to 1."""
        try:
            value: float = super().float(name, default=default)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise ImproperlyConfigured(f"{name} has to be a number from 0 to 1.")
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """Return one of the choices."""
        value = str(super().str(name, default=default))
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is none of {', '.join(choices)}.")
        return value

    def log_level(self, name: str, default: str) -> str:
        """Return the name of a level of the logging module."""
        level = str(super().str(name, default=default)).upper()
        if level not in logging.getLevelNamesMapping():
            raise ImproperlyConfigured(f"{name} is none of DEBUG, INFO, WARNING, ERROR, CRITICAL.")
        return level

    def http_url(self, name: str) -> str:
        """Return the URL of a server, or nothing."""
        url = str(super().str(name, default=""))
        if url and not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", url):
            raise ImproperlyConfigured(f"{name} has to begin with http:// or https:// and name a host.")
        return url

    def origins(self, name: str) -> list[str]:
        """Return origins as browsers send them, `https://shop.example.com`, from a list separated by commas."""
        found = [one.strip() for one in super().list(name, default=[])]
        for origin in filter(None, found):
            if not _is_origin(origin):
                raise ImproperlyConfigured(
                    f"{name}: {origin!r} is no origin. It takes scheme, host and maybe port, in lower case and without "
                    "a path: https://shop.example.com"
                )
        return [origin for origin in found if origin]

    def mongodb(self, name: str) -> str:
        """Return a MongoDB URL; an empty text for none. Of one that DNS completes (mongodb+srv) nothing is checked."""
        url = str(super().str(name, default=""))
        try:
            if url and not url.startswith("mongodb+srv://"):
                parse_uri(url, validate=False)
        except (PyMongoError, ValueError):
            raise ImproperlyConfigured(
                f"{name} has to be mongodb://name:password@host:27017/?replicaSet=rs0, with / : @ in the password as"
                " %2F %3A %40."
            ) from None  # the driver's words may hold a piece of the password
        return url

    def database(self, name: str, default: Any = environ.Env.NOTSET) -> dict[str, Any]:
        """Return Django's settings for a MySQL or SQLite URL. The URL's own options, as ?ssl_mode=REQUIRED, count."""
        url = super().str(name, default=default)
        needed = _NEEDED.get(url.partition("://")[0], ())
        try:
            # Only for these schemes: of another it would warn with all parts of the URL.
            found: dict[str, Any] = self.db_url_config(url) if needed else {}
        except ValueError:
            found = {}
        if not needed or not all(found.get(key) for key in needed):
            raise ImproperlyConfigured(f"{name} has to be mysql://name:password@host:3306/database or sqlite:///path.")
        if url.startswith("mysql"):
            found |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        options = _MYSQL if url.startswith("mysql") else _SQLITE
        return found | {"OPTIONS": options | found.get("OPTIONS", {})}


def _is_origin(text: str) -> bool:
    """Whether a text is an origin as https://www.rfc-editor.org/rfc/rfc6454#section-6.2 writes it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname or "*" in text:
        return False
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return text == f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
