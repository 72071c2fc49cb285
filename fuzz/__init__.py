"""Schemathesis against the running API: `python -m fuzz --help`."""
