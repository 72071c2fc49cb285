"""Fixtures of the order tests."""

import pytest

from tests.orders.buying import Shop


@pytest.fixture
def shop(api: None) -> Shop:
    return Shop()
