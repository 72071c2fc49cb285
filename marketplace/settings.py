"""Settings of the marketplace, and the only place that reads the environment.

Every variable is listed with a line of explanation in `.env.example`. Defaults are safe: without DEBUG a missing
SECRET_KEY stops the process.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

VERSION = "0.1.0"

# Where the embedded servers, the SQLite file and the development key live. Never committed.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".marketplace")))


def _development_secret_key() -> str:
    """Return a random key that is kept between runs, so that development sessions survive a restart."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        path.write_text(get_random_secret_key())
    return path.read_text()


# --- Security -------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
# As it is: env.str takes a leading $ for another variable's name, and one of fifty random keys begins with it.
SECRET_KEY = env.ENVIRON.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Set it, or DEBUG=true on a development machine.")
    SECRET_KEY = _development_secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# For use behind a gateway that authenticates and strips these headers from what clients send.
TRUST_IDENTITY_HEADERS = env.bool("TRUST_IDENTITY_HEADERS", default=False)
# How to find the account behind a caller's id: callables id -> account, for `marketplace.api.authentication`.
ACCOUNT_FINDERS = {
    "user": "users.services.user_account",
    "supplier": "catalog.services.supplier_account",
}
PASSWORD_HASHERS = ["marketplace.hashers.OwaspArgon2PasswordHasher"]

# Behind a TLS-terminating proxy; HTTPS_ONLY=false for a plain-HTTP test installation.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
# Health probes come from inside the cluster, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health"]
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY

# --- Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "marketplace",  # first: its templates go before those of the apps below
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "users",
    "catalog",
    "content",
    "orders",
    "analytics",
    "demo",
]

MIDDLEWARE = [
    "marketplace.api.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
# The middleware makes `/users/` answer as `/users`; a redirect would lose the body of a POST.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"  # MySQL's date functions need its time zone tables for any other
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"

# A request body is at most 1 MiB. The middleware checks it before anything reads the body.
MAX_BODY_BYTES = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# --- MongoDB: the domain documents and the outbox -------------------------------------------------------------------

# Empty: nothing to connect to. `quickstart` and the tests start an embedded mongod and set it.
MONGODB_URL = env.str("MONGODB_URL", default="")
DATABASE_NAME = env.str("DATABASE_NAME", default="marketplace")
# All database work of a write or a list, or a single read: then the request answers 503.
MONGODB_TIMEOUT_MS = env.int("MONGODB_TIMEOUT_MS", default=3000)

# --- Kafka ----------------------------------------------------------------------------------------------------------

# Empty: `quickstart` and the tests start an embedded broker and set it.
KAFKA_BOOTSTRAP_SERVERS = env.str("KAFKA_BOOTSTRAP_SERVERS", default="")
KAFKA_CLIENT_ID = env.str("KAFKA_CLIENT_ID", default="marketplace")
KAFKA_GROUP_ID = env.str("KAFKA_GROUP_ID", default="analytics")
# Room for the largest event (MAX_EVENT_BYTES) with its key and headers.
KAFKA_MAX_MESSAGE_BYTES = 2_200_000
MAX_EVENT_BYTES = 2 << 20

# --- SQL: the analytics tables, the admin's accounts and sessions ---------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'analytics.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # WAL lets admin and consumer work side by side; IMMEDIATE makes a second writer wait instead of failing midway.
    _options = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
    }
    DATA_DIR.mkdir(parents=True, exist_ok=True)
else:
    _options = {
        "charset": "utf8mb4",
        "init_command": "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone='+00:00'",
        "isolation_level": "read committed",
        "connect_timeout": 5,
    }
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
_database["OPTIONS"] = _options | _database.get("OPTIONS", {})  # the URL's own, as ?ssl_mode=REQUIRED, count

# --- REST framework -------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.api.authentication.IdentityHeaderAuthentication",
        "marketplace.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["marketplace.api.permissions.RoutePolicy"],
    "DEFAULT_RENDERER_CLASSES": [
        "marketplace.api.renderers.OrjsonRenderer",
        "marketplace.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "marketplace.api.negotiation.JsonFirstNegotiation",
    "DEFAULT_PARSER_CLASSES": ["marketplace.api.parsers.OrjsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "marketplace.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a query parameter of reports, not of DRF
    "DEFAULT_METADATA_CLASS": None,  # no OPTIONS: the OpenAPI document describes the routes
    "UNAUTHENTICATED_USER": "marketplace.callers.anonymous",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Marketplace API",
    "DESCRIPTION": "Social-commerce marketplace: users, suppliers, products, orders and posts.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Logs -----------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "marketplace.tracing.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # no second console handler with DEBUG
        "django.request": {"level": "ERROR"},  # a client's mistake is no warning of ours
        "pymongo": {"level": "INFO"},  # DEBUG logs whole commands, password hashes in them
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}
