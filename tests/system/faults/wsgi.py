"""The marketplace's WSGI application in a process that kills itself at the point that FAULT_POINT names."""

import os

from marketplace.wsgi import application as application
from tests.system.faults import points

name, _, count = os.environ["FAULT_POINT"].partition(":")
points.install(name, int(count))
