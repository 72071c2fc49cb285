"""The WSGI application that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
application = get_wsgi_application()

# A list answer is thousands of short-lived dicts. Without this, each one sets off collections that walk all of Django.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
