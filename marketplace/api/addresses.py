"""The address that a request comes from: what rate limits and the log-in protection count by."""

import functools
from ipaddress import IPv6Address, ip_address

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

_HOST_BITS = 64
_identify = BaseThrottle().get_ident


def client_address(request: HttpRequest | Request) -> str:
    """Return the client's address: of the connection, or behind NUM_PROXIES proxies what they say in X-Forwarded-For.

    IPv4 as it is; of IPv6 the network, with zeros for the host: whoever has one IPv6 address has the other 2^64 - 1 of
    its /64, too. What a proxy says that is no address counts as the connection's own.
    """
    named = _identify(request) or ""  # type: ignore[arg-type]  # reads META only, which both have
    return _counted(named) or _counted(request.META.get("REMOTE_ADDR", ""))


@functools.lru_cache(4096)
def _counted(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))
