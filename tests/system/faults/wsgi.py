"""The marketplace's WSGI application in a process that kills itself at the point that FAULT_POINT names."""

import os

from marketplace.wsgi import application as application
from tests.system.faults import points

points.install(os.environ["FAULT_POINT"])
