"""Logging in, as the tests of tokens do it. Identity headers do not count here."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from tests.api import ANYONE, USER, Api, Json, supplier_body, unique_email

PASSWORD = "correct horse"
LogIn = Callable[..., Json]


def log_in(email: str, account: str = "user", password: str = PASSWORD) -> Json:
    """Return the tokens of an account."""
    return ANYONE.post("/auth/token", {"email": email, "password": password, "account": account})


def bearer(tokens: Json) -> Api:
    """Return the caller that an access token names."""
    return Api(**{"Authorization": f"Bearer {tokens['access']}"})


@pytest.fixture
def user(mongodb: str) -> Json:
    """A new user, with their email."""
    email = unique_email()
    return ANYONE.post("/users", USER | {"email": email}, status=201) | {"email": email}


@pytest.fixture
def supplier(mongodb: str) -> Json:
    """A new supplier, with their email."""
    body = supplier_body()
    made = ANYONE.post("/suppliers", body, status=201)
    return made | {"email": body["contact_info"]["primary_email"]}


@pytest.fixture
def boss(mongodb: str, db: None) -> AbstractUser:
    """A staff account with a password and an email."""
    accounts: Any = get_user_model().objects
    return accounts.create_user("boss", "boss@example.com", PASSWORD, is_staff=True)
