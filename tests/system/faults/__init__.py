"""The fault bench: kills the marketplace's processes and servers under load, and compares what is left with an oracle.

Run it with `python -m tests.system.faults`.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
