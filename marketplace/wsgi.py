"""The WSGI application that granian serves."""

import gc
import logging
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
application = get_wsgi_application()

from marketplace import checks, mongo, sql  # noqa: E402  # needs Django's set-up

if problems := checks.serving_problems():
    sys.exit("\n".join(problems))

mongo.connect(for_requests=True)
sql.limit_waiting()

# Said once at start; reads work all the same, and a MongoDB that is only late is no reason to exit.
if problem := checks.replica_set_problem():
    logging.getLogger("marketplace.wsgi").error("%s. %s", problem, checks.REPLICA_SET_HINT)

# A list answer is thousands of short-lived dicts. Without this, each one sets off collections that walk all of Django.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
