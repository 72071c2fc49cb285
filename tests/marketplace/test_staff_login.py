"""Guessing passwords of staff accounts: who fails too often is shut out, in the admin and at the API alike."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api import ANYONE, answered, new_product, new_supplier, new_user

pytestmark = pytest.mark.usefixtures("api", "boss")

PASSWORD = "a staff password"
LIMIT = 3


@pytest.fixture
def boss(db: None, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = LIMIT
    get_user_model().objects.create_superuser("boss", "boss@example.com", PASSWORD)


def log_in(name: str = "boss", password: str = PASSWORD, **frame: Any) -> Any:
    """Send the admin's form, from an address."""
    return Client().post("/admin/login/", {"username": name, "password": password}, **frame)


def token(password: str = PASSWORD) -> Any:
    return ANYONE("POST", "/auth/token", {"email": "boss@example.com", "password": password, "account": "staff"})


def fail(times: int = LIMIT, **frame: Any) -> None:
    for _ in range(times):
        log_in(password="wrong", **frame)


def test_who_fails_too_often_is_told_when_to_come_back() -> None:
    fail(LIMIT - 1)
    response = log_in(password="wrong")
    assert response.status_code == 429
    assert int(response["Retry-After"]) == 15 * 60
    text = response.content.decode()
    assert "Try again in 15 minutes" in text
    assert "boss" not in text.partition("<body")[2]
    assert log_in().status_code == 429  # the right password does not help


def test_a_success_forgets_the_failures() -> None:
    fail(LIMIT - 1)
    assert log_in().status_code == 302
    fail(LIMIT - 1)
    assert log_in().status_code == 302


def test_other_names_and_addresses_are_not_shut_out() -> None:
    get_user_model().objects.create_superuser("other", password=PASSWORD)
    fail()
    assert log_in("other").status_code == 302
    assert log_in(REMOTE_ADDR="192.0.2.7").status_code == 302


def test_an_address_is_what_the_proxies_say(settings: Any) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    fail(HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert log_in(HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 429
    assert log_in(HTTP_X_FORWARDED_FOR="198.51.100.2").status_code == 302


def test_it_ends_by_itself() -> None:
    fail()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in().status_code == 302


def test_it_can_be_ended() -> None:
    fail()
    call_command("axes_reset_username", "boss", verbosity=0)
    assert log_in().status_code == 302


def test_the_failures_can_be_seen_in_the_admin() -> None:
    fail(REMOTE_ADDR="192.0.2.7")
    client = Client()
    client.force_login(get_user_model().objects.get(username="boss"))
    page = client.get("/admin/axes/accessattempt/").content.decode()
    assert "192.0.2.7" in page
    assert "boss" in page


def test_the_api_and_the_admin_count_together() -> None:
    assert token().status_code == 200
    fail(LIMIT - 1)
    response = token("wrong")
    assert answered(response, 429)["code"] == "RATE_LIMITED"
    assert int(response["Retry-After"]) > 0
    assert response["RateLimit-Policy"].startswith('"login"')
    assert response["RateLimit"].startswith('"login"')
    assert answered(token(), 429)["code"] == "RATE_LIMITED"
    assert log_in().status_code == 429


def test_other_callers_ask_nothing_of_the_sql_database() -> None:
    with CaptureQueriesContext(connection) as queries:
        user, supplier = new_user(), new_supplier()
        product = new_product(supplier)
        user.get(f"/products/{product['id']}")
        ANYONE("GET", "/orders")
        ANYONE("POST", "/auth/token", {"email": "nobody@example.com", "password": "wrong password"})
    assert list(queries) == []


@pytest.mark.parametrize("password", ["short", "123456789012345", "passwordpassword"[:8], "administrator"])
def test_weak_passwords_are_refused(password: str) -> None:
    account = get_user_model()(username="administrator")
    with pytest.raises(ValidationError):
        validate_password(password, account)
    validate_password("quite another staff secret", account)
