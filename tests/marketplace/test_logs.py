"""Log lines: one per request with id, caller and route; never a secret; never a line that a client made up."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.module_loading import import_string
from pymongo.errors import AutoReconnect

from marketplace import logs, mongo, roles
from marketplace.logging_settings import FORMATTERS
from tests.api import ANYONE, USER, Api, new_product, new_supplier, new_user, supplier_body, unique_email

pytestmark = pytest.mark.usefixtures("api")

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+ \[(\S+) (\S+) (\S+)\] (.*)")
SECRET = "hunter2-very-secret"
# Loggers whose DEBUG lines settings.py keeps out, by name.
QUIET = {"pymongo": logging.INFO, "django": logging.INFO, "axes": logging.WARNING}


@contextmanager
def written(form: str) -> Iterator[io.StringIO]:
    """Yield what the handler of settings.LOGGING writes in a LOG_FORMAT while LOG_LEVEL is DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(import_string(FORMATTERS[form])())
    handler.addFilter(logs.RequestFilter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    with written("console") as stream:
        yield stream


@pytest.fixture
def objects() -> Iterator[io.StringIO]:
    with written("json") as stream:
        yield stream


def access_lines(output: io.StringIO) -> list[tuple[str, ...]]:
    """Return id, caller, route and text of the access lines."""
    lines = [line for line in output.getvalue().split("\n") if line.split(" ")[3:4] == ["marketplace.access"]]
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), output.getvalue()
    return [one.groups() for one in found if one]


def test_a_line_says_who_did_what(output: io.StringIO, db: None) -> None:
    supplier = new_supplier()
    product = new_product(supplier, status="draft")
    output.seek(0)
    output.truncate()
    supplier("GET", f"/products/{product['id']}?token={SECRET}", X_Request_ID="mine-1")
    ANYONE("GET", f"/products/{product['id']}", X_Request_ID="mine-2")
    ANYONE("GET", "/nothing/here", X_Request_ID="mine-3")
    ANYONE("POST", "/users", b'"' + b"x" * (1 << 20) + b'"', X_Request_ID="mine-4")
    client = Client()
    account = get_user_model().objects.create_superuser("boss")
    client.force_login(account)
    client.get("/users", headers={"X-Request-ID": "mine-5"})
    client.get("/admin/auth/user/", headers={"X-Request-ID": "mine-6"})
    lines = access_lines(output)
    assert [line[:3] for line in lines] == [
        ("mine-1", f"supplier:{supplier.id}", "/products/{id}"),
        ("mine-2", "anonymous", "/products/{id}"),
        ("mine-3", "-", "-"),
        ("mine-4", "-", "-"),
        ("mine-5", f"staff:{account.pk}", "/users"),
        ("mine-6", f"staff:{account.pk}", "/admin/auth/user/"),
    ]
    texts = [re.sub(r"\d+\.\d ms", "N ms", line[3]) for line in lines]
    assert texts[0] == f"GET /products/{product['id']} 200 in N ms, from 127.0.0.1"
    assert texts[1].startswith(f"GET /products/{product['id']} 404 in")
    assert [text.split()[2] for text in texts] == ["200", "404", "404", "413", "200", "200"]


def test_other_lines_name_the_request_too(output: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    user = new_user()
    monkeypatch.setattr("catalog.services.product_list", lambda **_: 1 / 0)
    user("GET", "/products", X_Request_ID="mine")
    logging.getLogger("elsewhere").warning("outside")
    found = {match[4]: match.groups()[:3] for match in map(LINE.fullmatch, output.getvalue().splitlines()) if match}
    [error] = [who for text, who in found.items() if text.startswith("INTERNAL_ERROR")]
    assert error == ("mine", f"user:{user.id}", "/products")
    assert found["outside"] == ("-", "-", "-")


def test_an_answer_that_was_logged_where_it_was_made_is_not_logged_again(
    output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise AutoReconnect("gone")

    monkeypatch.setattr("catalog.services.product_list", away)
    assert ANYONE("GET", "/products").status_code == 503
    levels = [line.split()[2] for line in output.getvalue().splitlines() if "marketplace.access" not in line]
    assert levels == ["WARNING"]


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x85b", "a\x00b"])
def test_nobody_can_make_up_a_line(output: io.StringIO, objects: io.StringIO, text: str) -> None:
    forged = f"{text}2026-01-01 00:00:00,000 INFO marketplace.access [x staff:1 /] GET / 200 in 0.1 ms, from 127.0.0.1"
    Client().get("/products/x", headers={"X-Request-ID": forged, "User-Agent": forged, "X-Forwarded-For": forged})
    Client().get(f"/{forged}")
    Client().generic("GET\nforged", "/products")
    logging.getLogger("elsewhere").error("Failed: %s", forged, exc_info=ValueError(forged))
    lines = output.getvalue().split("\n")
    assert not [line for line in lines if line.startswith(("2026-01-01", "b2026-01-01"))]
    assert re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", "".join(lines)) is None
    assert len(access_lines(output)) == 3
    whole = [json.loads(line) for line in objects.getvalue().split("\n")[:-1]]
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\uffff]", objects.getvalue()) is None
    assert [one["request_id"] for one in whole if one["logger"] == "marketplace.access"].count("x") == 0
    assert len([one for one in whole if one["logger"] == "marketplace.access"]) == 3


# --- JSON ---


def test_a_line_of_json_says_the_same(objects: io.StringIO) -> None:
    user = new_user()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    user("GET", f"/users/{user.id}?token={SECRET}", X_Request_ID="mine", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    ANYONE("GET", "/nothing", X_Request_ID="nobody's")
    logging.getLogger("elsewhere").warning("outside: %s", "this")
    known, nobody, outside = [json.loads(line) for line in objects.getvalue().splitlines()][-3:]
    assert datetime.fromisoformat(known.pop("timestamp")).utcoffset() is not None
    duration = known.pop("duration_ms")
    assert known == {
        "event": f"GET /users/{user.id} 200 in {duration:.1f} ms, from 127.0.0.1",
        **{"level": "INFO", "logger": "marketplace.access", "role": "api"},
        **{"request_id": "mine", "caller": f"user:{user.id}", "route": "/users/{id}", "trace_id": trace},
        **{"method": "GET", "path": f"/users/{user.id}", "status": 200, "address": "127.0.0.1"},
    }
    assert nobody["status"] == 404
    assert not {"caller", "route"} & nobody.keys()
    assert {name: outside[name] for name in outside if name != "timestamp"} == {
        **{"event": "outside: this", "level": "WARNING", "logger": "elsewhere", "role": "api"},
    }


def test_the_trace_of_a_request_is_that_of_its_events(objects: io.StringIO) -> None:
    new_user()
    [event] = mongo.database().outbox.find()
    line = json.loads(objects.getvalue().splitlines()[-1])
    assert event["traceparent"].split("-")[1] == line["trace_id"]


def test_a_traceback_is_text_in_the_object(objects: io.StringIO) -> None:
    logging.getLogger("elsewhere").error(
        "Failed", exc_info=ValueError("what\x7f\u2028\nelse"), extra={"secret": SECRET}
    )
    [line] = objects.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["exception"] == "ValueError: what\x7f\u2028\nelse"
    assert SECRET not in line


def test_all_that_a_process_says_of_itself_is_json() -> None:
    """Warnings of Python and an exception that nobody catches, too."""
    told = "import django, warnings; django.setup(); warnings.warn('old'); 1 / 0"
    environment = {
        "SECRET_KEY": "k" * 50,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATA_DIR": settings.DATA_DIR,
    }
    done = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, timeout=30)
    warned, ended = [json.loads(line) for line in done.stderr.splitlines()]
    assert (warned["logger"], "UserWarning: old" in warned["event"]) == ("py.warnings", True)
    assert (ended["level"], ended["event"]) == ("CRITICAL", "ZeroDivisionError ends this process")
    assert ended["exception"].startswith("Traceback")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("command_line", "role"),
    [
        *((["manage.py", "serve", "--port", "1"], "api"), (["granian", "marketplace.wsgi"], "api")),
        *((["./manage.py", "relay_events"], "relay"), (["/venv/django/__main__.py", "consume_events"], "consumer")),
        *((["manage.py", "--version"], "manage"), (["manage.py", "verify_analytics"], "verify_analytics"), ([], "api")),
    ],
)
def test_a_process_has_the_role_of_its_command(command_line: list[str], role: str) -> None:
    assert roles.of(command_line) == role


# --- Secrets ---


def refuse(**_: object) -> None:
    raise RuntimeError("unforeseen")


def everything_with_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Send secrets at every place of a request, and yield those that the API itself gave away meanwhile."""
    body = USER | {"email": unique_email(), "password": SECRET}
    signed_up = ANYONE("POST", "/users", body).json()
    user = Api(id=signed_up["id"], **{"X-User-ID": signed_up["id"]})
    ANYONE("POST", "/users", body)  # taken: MongoDB's own error quotes the document's key
    ANYONE("POST", "/suppliers", supplier_body() | {"password": SECRET})
    ANYONE("POST", "/users", {"password": SECRET})
    ANYONE("POST", "/users", json.dumps(body).encode()[:-1])
    ANYONE("POST", "/users", f'"{SECRET}'.encode())
    ANYONE("POST", "/users", body, content_type=f"text/{SECRET}")
    yield from tokens(body["email"])
    for header in (f"Bearer {SECRET}", f"Basic {SECRET}", f"Bearer {SECRET} {SECRET}", SECRET):
        ANYONE("GET", "/orders", Authorization=header)
    for path in (f"/products?access_token={SECRET}", f"/nothing?password={SECRET}", f"/products?limit={SECRET}"):
        ANYONE("GET", path, Cookie=f"sessionid={SECRET}; csrftoken={SECRET}", Idempotency_Key=SECRET)
    for service in ("users.services.user_update", "catalog.services.product_list"):
        monkeypatch.setattr(service, refuse)
    assert user("PATCH", f"/users/{user.id}", {"bio": SECRET}).status_code == 500
    assert ANYONE("GET", f"/products?token={SECRET}").status_code == 500
    monkeypatch.setattr("marketplace.api.middleware._refusal", refuse)
    Client(raise_request_exception=False).post(f"/users?token={SECRET}", body, content_type="application/json")


def tokens(email: str) -> Iterator[str]:
    """Log in, refresh and revoke; yield all tokens that were there."""
    credentials = {"email": email, "password": SECRET}
    ANYONE("POST", "/auth/token", credentials | {"password": f"not {SECRET}"})
    for account in ("supplier", "staff"):
        ANYONE("POST", "/auth/token", credentials | {"account": account})
    first = ANYONE("POST", "/auth/token", credentials).json()
    second = ANYONE("POST", "/auth/refresh", {"refresh": first["refresh"]}).json()
    ANYONE("POST", "/auth/refresh", {"refresh": first["refresh"]})  # reused: the family is revoked
    ANYONE("GET", "/orders", Authorization=f"Bearer {second['access']}")
    ANYONE("GET", f"/orders?token={second['access']}", Authorization=f"Bearer {second['access']}x")
    ANYONE("POST", "/auth/revoke", {"refresh": second["refresh"]})
    ANYONE("POST", "/auth/refresh", {"refresh": SECRET})
    for answer in (first, second):
        yield from (answer["access"], answer["refresh"])


def test_no_secret_reaches_the_log(
    output: io.StringIO, objects: io.StringIO, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Client().post("/admin/login/", {"username": "boss", "password": SECRET})
    get_user_model().objects.create_superuser("boss", password=SECRET)
    Client().post("/admin/login/", {"username": "boss", "password": SECRET})
    given = list(everything_with_secrets(monkeypatch))
    text = output.getvalue() + objects.getvalue()
    assert len(access_lines(output)) > 25
    assert [form.getvalue().count("Traceback") for form in (output, objects)] == [3, 3]
    assert len(given) == 4
    for secret in (SECRET, *given, *(token.rpartition(".")[2] for token in given), "argon2", "md5$", "password_hash"):
        assert secret not in text, [line for line in text.splitlines() if secret in line][:2]


def test_loggers_that_would_tell_secrets_stay_quiet_at_debug() -> None:
    for name, level in QUIET.items():
        assert settings.LOGGING["loggers"][name]["level"] == logging.getLevelName(level)
        assert logging.getLogger(f"{name}.anything").getEffectiveLevel() == level
