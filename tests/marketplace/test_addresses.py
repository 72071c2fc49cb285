"""The address that a request counts for: of the connection, or behind proxies what they say."""

from typing import Any

import pytest
from django.test import RequestFactory

from marketplace.api.addresses import client_address


def address_of(remote: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(REMOTE_ADDR=remote).get("/", headers=headers))


def with_proxies(settings: Any, count: int) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": count}


def test_forwarded_addresses_count_for_nothing_by_default() -> None:
    assert address_of("192.0.2.1", "198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first is what the client made up
        (2, "203.0.113.9, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (1, None, "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
    ],
)
def test_address_behind_proxies(settings: Any, proxies: int, forwarded: str | None, expected: str) -> None:
    with_proxies(settings, proxies)
    assert address_of("192.0.2.1", forwarded) == expected


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_ipv6_counts_by_network(remote: str, expected: str) -> None:
    assert address_of(remote) == expected
