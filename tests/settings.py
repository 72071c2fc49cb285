"""Settings of the test run: the project's own, plus what a clean clone has no `.env` for."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-and-long-enough-for-every-check-0123456789")
os.environ.setdefault("HTTPS_ONLY", "false")
os.environ.setdefault("CORS_ALLOWED_ORIGINS", "https://shop.example.com")

from marketplace.settings import *  # noqa: E402, F403  # the usual way to build on another settings module

# Argon2 is slow on purpose; the tests that are about it ask for it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Static files straight from the packages: nothing needs to be collected.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

# Tests sign up by the hundred from one address; those about limits set their own.
RATE_LIMITS = dict.fromkeys(RATE_LIMITS, 1_000_000)  # noqa: F405  # from the settings
