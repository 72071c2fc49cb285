#!/usr/bin/env python
"""Django's command line."""

import os
import signal
import sys


def main() -> None:
    """Run a management command. A setting that is missing is named without a traceback, with exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    if "quickstart" in sys.argv[1:2]:
        # A development installation by definition: a random key, localhost only.
        os.environ.setdefault("DEBUG", "true")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"manage.py: {error}")
    except KeyboardInterrupt:  # before a command could handle it
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
