"""TRUST_IDENTITY_HEADERS is told of by the system checks."""

from typing import Any

import pytest
from django.core.checks import Tags, run_checks


@pytest.mark.parametrize(
    ("trusted", "debug", "warned"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_trust_without_debug_is_warned_of(settings: Any, trusted: bool, debug: bool, warned: bool) -> None:
    settings.TRUST_IDENTITY_HEADERS, settings.DEBUG = trusted, debug
    found = [message.id for message in run_checks(tags=[Tags.security])]
    assert ("marketplace.W001" in found) == warned
