"""Hooks of one run of schemathesis: the caller's credentials, better luck for valid requests, what is no fault, counts.

Schemathesis loads this module itself; `python -m fuzz` tells it by the environment who calls and where the counts go.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import Failure

from fuzz.expected import is_expected

_CALLER: dict[str, Any] = json.loads(os.environ["FUZZ_CALLER"])
_EXAMPLE_IDS = "65f0c0ffee"  # what all ids in the document's examples begin with
_IDS_IN_BODIES = {"product_id": "active", "supplier_id": "suppliers"}
# What can be in no other status; elsewhere an id is one of the path's collection.
_IDS_IN_PATHS = dict.fromkeys(("/products/{id}/mark-out-of-stock", "/products/{id}/discontinue"), "active")
# Addresses that no two accounts can have.
_UNIQUE = {"POST /users": "email", "POST /suppliers": "primary_email"}
_NOBODY = "0" * 24
_HELPED = 4  # of so many requests, one gets no help

_counts: Counter[str] = Counter()
_turns: Counter[tuple[str, str]] = Counter()

# URLs that Django takes for some, and any others. A random text is almost never one of the former.
schemathesis.openapi.format(
    "uri",
    st.one_of(
        st.from_regex(r"https?://[a-z]{1,20}\.example\.com/[a-z0-9/]{0,40}", fullmatch=True),
        st.from_regex(r"https?://\S{1,60}", fullmatch=True),
    ),
)

if _CALLER["log_in"]:

    @schemathesis.auth(refresh_interval=600)  # access tokens are good for 900 s
    class Bearer:
        """Sends the caller's access token."""

        def get(self, case: Case, ctx: AuthContext) -> str:
            answer = requests.post(f"{_CALLER['url']}/auth/token", json=_CALLER["log_in"], timeout=30)
            answer.raise_for_status()
            token: str = answer.json()["access"]
            return token

        def set(self, case: Case, data: str, ctx: AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Drop what the specification wants to be so."""
    return not is_expected(failure, case, response)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Have valid requests succeed more often than by chance, and the caller's account live on."""
    if case.method == "DELETE" and case.path_parameters.get("id") == _CALLER["id"]:
        case.path_parameters["id"] = _NOBODY  # nothing but 401 would follow
    collection = case.path.split("/")[1]
    _mend_cursor(case, _CALLER["words"].get(f"{collection}-cursor", []))
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    for name, value in case.path_parameters.items():
        case.path_parameters[name] = _existing(value, _IDS_IN_PATHS.get(case.path, collection), case)
    # Where a header is a text with a pattern, the coverage phase sends the number 0.
    if "If-Match" in case.headers and (case.headers["If-Match"] in (0, "0") or _turn(case, "If-Match") % _HELPED):
        case.headers["If-Match"] = "*"
    if isinstance(case.body, dict):
        case.body = _helped(case.body, case)


def _mend_cursor(case: Case, known: list[str]) -> None:
    """Leave a cursor away that only looks like one, and `skip` beside a true one: both would hide all other faults."""
    cursor = case.query.get("cursor")
    if cursor in known:
        case.query.pop("skip", None)
    elif known and isinstance(cursor, str) and len(cursor) == len(known[0]):
        del case.query["cursor"]


def _helped(value: Any, case: Case, name: str = "") -> Any:
    """Return a part of a body with ids that exist, addresses that are free, and seldom with a version."""
    if isinstance(value, dict):
        kept = [key for key in value if key != "version" or _turn(case, key) % _HELPED == 0]
        return {key: _helped(value[key], case, key) for key in kept}
    if isinstance(value, list):
        return [_helped(inner, case, name) for inner in value]
    if name in _IDS_IN_BODIES:
        return _existing(value, _IDS_IN_BODIES[name], case)
    if name == _UNIQUE.get(case.operation.label) and (turn := _turn(case, name)) % _HELPED:
        return f"{_CALLER['name']}-{turn}@example.com"
    return value


def _existing(value: Any, collection: str, case: Case) -> Any:
    """Return a value; in place of an example of the document the next of the ids that the caller knows."""
    if not str(value).startswith(_EXAMPLE_IDS):
        return value
    ids = [one for one in _CALLER["words"][collection] if case.method != "DELETE" or one != _CALLER["id"]]
    return ids[_turn(case, collection) % len(ids)]


def _turn(case: Case, choice: str) -> int:
    """Count how often an operation had this choice: what is chosen by that is the same in each run."""
    _turns[case.operation.label, choice] += 1
    return _turns[case.operation.label, choice]


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Count the answer."""
    _counts[f"{case.operation.label} {response.status_code}"] += 1


@atexit.register
def _write_counts() -> None:
    Path(_CALLER["counts"]).write_text(json.dumps(_counts))
