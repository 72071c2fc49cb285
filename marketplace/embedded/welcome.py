"""What quickstart says when everything is up."""

from collections.abc import Iterator, Mapping

from django.conf import settings

from marketplace import mongo

STAFF_NAME = "admin"
STAFF_EMAIL = "admin@demo.example"
STAFF_PASSWORD = "admin-password"  # noqa: S105
# The accounts that `seed` makes and gives a password.
DEMO_USER = "john@example.com"
DEMO_SUPPLIER = "supplier@demo.example"
DEMO_PASSWORD = "password123"  # noqa: S105


def welcome(host: str, port: int, metrics_ports: Mapping[str, int]) -> str:
    """Return what to do with the running marketplace: URLs, accounts, and how to run commands beside it."""
    url = f"http://{host}:{port}"
    lines = [
        "",
        "The marketplace is running. Ctrl-C stops it.",
        "",
        f"  API       {url}/products",
        f"  Docs      {url}/docs  and  {url}/redoc",
        f"  Commands  {_command_line()}",
        f"  Admin     {url}/admin/  {STAFF_NAME} / {STAFF_PASSWORD}  (signs in to the browsable API, too)",
        *(f"  Metrics   http://{host}:{each}/metrics  ({name})" for name, each in metrics_ports.items()),
        "",
        "Accounts, for POST /auth/token:",
        "",
        *_demo_accounts(),
        "",
    ]
    return "\n".join(lines)


def _command_line() -> str:
    """Return how to run a command against these servers from another terminal."""
    servers = f"MONGODB_URL='{settings.MONGODB_URL}' KAFKA_BOOTSTRAP_SERVERS={settings.KAFKA_BOOTSTRAP_SERVERS}"
    return f"DEBUG=true {servers} .venv/bin/python manage.py ..."


def _demo_accounts() -> Iterator[str]:
    """Yield a line for each demo account that is there."""
    for kind, email in (("user", DEMO_USER), ("supplier", DEMO_SUPPLIER)):
        if mongo.database()[f"{kind}s"].find_one({"contact_info.primary_email": email}, {"_id": 1}):
            yield f"  {kind:9} {email} / {DEMO_PASSWORD}"
    yield f"  {'staff':9} {STAFF_EMAIL} / {STAFF_PASSWORD}"
