"""Settings of the marketplace, and the only place that reads the environment.

Every variable is listed with a line of explanation in `.env.example`. Defaults are safe: without DEBUG a missing
SECRET_KEY stops the process.
"""

import hmac
import sys
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from marketplace import logging_settings, roles
from marketplace.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
Environment.read_env(BASE_DIR / ".env")

VERSION = "0.1.0"
ROLE = roles.of(sys.argv)

# Where the embedded servers, the SQLite file and the development key live. Never committed.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".marketplace")))


def _development_secret_key() -> str:
    """Return a random key that is kept between runs, so that development sessions survive a restart."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        path.write_text(get_random_secret_key())
    return path.read_text()


def _derived_key(purpose: str) -> str:
    """Return a key for one purpose out of SECRET_KEY, so that neither gives the other away."""
    return hmac.digest(SECRET_KEY.encode(), purpose.encode(), "sha256").hex()


# --- Security -------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
MIN_KEY_LENGTH = 32  # HS256 wants as many bytes as its hash has (RFC 7518, section 3.2)
# As it is: env.str takes a leading $ for another variable's name, and one of fifty random keys begins with it.
SECRET_KEY = env.ENVIRON.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Set it, or DEBUG=true on a development machine.")
    SECRET_KEY = _development_secret_key()
_former_keys = env.ENVIRON.get("SECRET_KEY_FALLBACKS", "")
SECRET_KEY_FALLBACKS = [key for key in _former_keys.split(",") if key]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# For use behind a gateway that authenticates and strips these headers from what clients send.
TRUST_IDENTITY_HEADERS = env.bool("TRUST_IDENTITY_HEADERS", default=False)
# Where accounts live, for `marketplace.auth`: callables text -> stored account or None. Staff is Django's own.
ACCOUNT_FINDERS = {
    "user": {"by_id": "users.services.user_account", "by_email": "users.services.user_account_by_email"},
    "supplier": {
        "by_id": "catalog.services.supplier_account",
        "by_email": "catalog.services.supplier_account_by_email",
    },
}
# Access tokens are signed with the signing key and accepted with any: docs/keys.md tells how to change it.
JWT_SIGNING_KEY = env.ENVIRON.get("JWT_SIGNING_KEY") or _derived_key("access tokens")
JWT_VERIFICATION_KEYS = env.list("JWT_VERIFICATION_KEYS", default=[])
JWT_ISSUER = env.str("JWT_ISSUER", default="marketplace")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="marketplace")
if any(len(key) < MIN_KEY_LENGTH for key in (JWT_SIGNING_KEY, *JWT_VERIFICATION_KEYS)):
    raise ImproperlyConfigured(f"JWT_SIGNING_KEY and JWT_VERIFICATION_KEYS need {MIN_KEY_LENGTH} characters or more.")
PASSWORD_HASHERS = ["marketplace.hashers.OwaspArgon2PasswordHasher"]

# Behind a TLS-terminating proxy; HTTPS_ONLY=false for a plain-HTTP test installation.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
# For this host. What concerns other hosts of the domain, and browsers' built-in lists, is its owner's to decide.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for these two in any case
# Health probes come from inside the cluster, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health(/ready)?/?$"]
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY

# Which pages of other origins may call the API from a browser. None that is not named; whether that was decided is
# asked at the start of the API.
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
CORS_IS_DECIDED = DEBUG or "CORS_ALLOWED_ORIGINS" in env.ENVIRON
CORS_URLS_REGEX = r"^/(?!admin(/|$)|static/)"
# Callers of other origins authenticate by bearer token. Cookies are the staff's, and stay on this origin.
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["DELETE", "GET", "PATCH", "POST"]
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match"),
    *("traceparent", "x-request-id"),
]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("WWW-Authenticate", "X-Request-ID"),
]
CORS_PREFLIGHT_MAX_AGE = 7200  # Chromium keeps none longer

# Staff accounts. So many failures for a name from an address shut the two out together, until a while after the last.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = env.int("STAFF_LOGIN_FAILURES", default=5, minimum=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("STAFF_LOGIN_COOLOFF_MINUTES", default=15, minimum=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "marketplace.api.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "marketplace.api.lockout.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False  # logs what shut out whom, not every header
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# --- Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "marketplace",  # first: its templates go before those of the apps below
    "analytics.admin_app.DashboardAdminConfig",  # in place of django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
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
    # The first four reach every answer, those that a later one gives instead of a view, too.
    "marketplace.api.metrics.MetricsMiddleware",
    "marketplace.api.middleware.RequestMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "marketplace.api.security.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.api.middleware.LimitsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
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
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200  # parameters of a query, fields of a form
MAX_URL_BYTES = 8000  # https://www.rfc-editor.org/rfc/rfc9110#section-4.1: everybody should take that
MAX_NESTING = 32  # of arrays and objects in a JSON body

# Requests (of log-in: failures) a minute, by address or known caller as marketplace/api/limits.py says; 0 is no limit.
RATE_LIMITS = {
    "sign-up": env.int("RATE_LIMIT_SIGN_UP", default=60),
    "login": env.int("RATE_LIMIT_LOGIN", default=5),
    "login-attempts": env.int("RATE_LIMIT_LOGIN_ATTEMPTS", default=300),
    "refresh": env.int("RATE_LIMIT_REFRESH", default=10),
    "default": env.int("RATE_LIMIT_DEFAULT", default=6000),
}

# --- MongoDB: the domain documents and the outbox -------------------------------------------------------------------

# Empty: nothing to connect to. `quickstart` and the tests start an embedded mongod and set it.
MONGODB_URL = env.mongodb("MONGODB_URL")
DATABASE_NAME = env.str("DATABASE_NAME", default="marketplace")
# All MongoDB work of a request: then it answers 503.
MONGODB_TIMEOUT_MS = env.int("MONGODB_TIMEOUT_MS", default=1500, minimum=1)

# --- Kafka ----------------------------------------------------------------------------------------------------------

# Empty: `quickstart` and the tests start an embedded broker and set it.
KAFKA_BOOTSTRAP_SERVERS = env.str("KAFKA_BOOTSTRAP_SERVERS", default="")
KAFKA_OPTIONS = env.dict("KAFKA_OPTIONS", default={})
KAFKA_CLIENT_ID = env.str("KAFKA_CLIENT_ID", default="marketplace")
KAFKA_GROUP_ID = env.str("KAFKA_GROUP_ID", default="analytics")
# Room for the largest event (MAX_EVENT_BYTES) with its key and headers.
KAFKA_MAX_MESSAGE_BYTES = 2_200_000
MAX_EVENT_BYTES = 2 << 20

# --- SQL: the analytics tables, the admin's accounts and sessions ---------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'analytics.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATA_DIR.mkdir(parents=True, exist_ok=True)
# A copy of that database that reports, dashboard and tables are read from; nothing is ever written there.
if env.str("DATABASE_REPLICA_URL", default=""):
    DATABASES["replica"] = env.database("DATABASE_REPLICA_URL")
    DATABASE_ROUTERS = ["analytics.replica.ReplicaRouter"]

# --- REST framework -------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.api.authentication.IdentityHeaderAuthentication",
        "marketplace.api.authentication.BearerAuthentication",
        "marketplace.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["marketplace.api.permissions.RoutePolicy"],
    "DEFAULT_RENDERER_CLASSES": [
        "marketplace.api.renderers.OrjsonRenderer",
        "marketplace.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "marketplace.api.negotiation.JsonFirstNegotiation",
    "DEFAULT_PARSER_CLASSES": ["marketplace.api.parsers.OrjsonParser"],
    "DEFAULT_SCHEMA_CLASS": "marketplace.api.openapi.operations.ApiSchema",
    "EXCEPTION_HANDLER": "marketplace.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a query parameter of reports, not of DRF
    # How many proxies of ours add to X-Forwarded-For; 0: clients' addresses are those of the connections.
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    "DEFAULT_METADATA_CLASS": None,  # no OPTIONS: the OpenAPI document describes the routes
    "UNAUTHENTICATED_USER": "marketplace.callers.anonymous",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Marketplace API",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_PATCH": False,  # bodies of PATCH have serializers of their own
    "POSTPROCESSING_HOOKS": ["marketplace.api.openapi.document.complete"],
    # `make openapi` writes the document, with what is told in marketplace/api/openapi besides.
    "CONTACT": {"name": "The marketplace's maintainers"},
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
}

# --- Logs, metrics, traces ------------------------------------------------------------------------------------------

LOG_FORMAT = env.choice("LOG_FORMAT", logging_settings.FORMATTERS, default="console" if DEBUG else "json")
LOGGING_CONFIG = "marketplace.logs.apply"
LOGGING = logging_settings.configuration(env.log_level("LOG_LEVEL", default="INFO"), LOG_FORMAT)

# Each process answers /metrics, /live and /ready there. 0: nowhere.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# Metrics have no secrets, but tell how the business does: for nobody outside.
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
# Where to send traces, by OTLP over HTTP. Empty: nowhere, and nothing of OpenTelemetry is imported.
TRACES_ENDPOINT = env.http_url("TRACES_ENDPOINT")
# The share of traces that begin here and are recorded, 0 to 1.
TRACES_SHARE = env.share("TRACES_SHARE", default=1.0)
if TRACES_ENDPOINT:
    _inside = MIDDLEWARE.index("marketplace.api.middleware.RequestMiddleware") + 1
    MIDDLEWARE.insert(_inside, "marketplace.observability.traces.RequestSpans")
