"""Management commands as a shell runs them."""

from django.core.management import ManagementUtility


def run(*arguments: str) -> int:
    """Run a command as a shell does, and return its exit code."""
    try:
        ManagementUtility(["manage.py", *arguments]).execute()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
