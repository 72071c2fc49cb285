"""Field rules as data: what a kind of field refuses and takes, and the tests that every resource inherits.

A resource's test class lists its fields by their path in the request body; the tests go through the API, and check
with each refusal that the answer names the field and that nothing was written.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.api import ANYONE, NOBODY, Api, Json, answered, nothing_written, refused_fields
from tests.dotted import at, with_value, without

HUGE = (2**63 - 1, 2**63, 10**30, -(2**63) - 1)
NOT_TEXT = (5, True, ["x"], {})
NOT_OBJECT = (5, "x", [], [1])


@dataclass(frozen=True)
class Field:
    """A field's rules: values it refuses, and values it takes with what is shown for them.

    `required` fields refuse null; others are shown as `nulls` after it. `shown` is the path in answers if another.
    """

    refused: list[Any]
    accepted: list[tuple[Any, Any]]
    required: bool = True
    shown: str = ""
    nulls: Any = None


def _field(refused: Any, accepted: Any, required: bool, shown: str, nulls: Any = None) -> Field:
    pairs = [one if isinstance(one, tuple) else (one, one) for one in accepted]
    return Field([*refused, *([None] if required else [])], pairs, required, shown, nulls)


def text(low: int, high: int, *, required: bool = True, shown: str = "", trims: bool = True) -> Field:
    """A text of `low` to `high` characters, after trimming."""
    refused = [*NOT_TEXT, "x" * (high + 1), "a\0b", "\ud800"]
    accepted: list[Any] = ["x" * max(low, 1), "😀" * high]
    if trims:
        accepted.append((f" \n{'x' * high}\t ", "x" * high))
    if low:
        refused += ["", *(["   ", "x" * (low - 1)] if trims else [])]
    return _field(refused, accepted, required, shown)


def password() -> Field:
    """A password of 8 to 128 characters, taken as it is and shown nowhere."""
    refused = [*NOT_TEXT, "", "x" * 7, "x" * 129, "\ud800", "abcdefgh\0"]
    return Field([*refused, None], [])


def whole(low: int, high: int, *, required: bool = True, nulls: Any = None) -> Field:
    """A JSON integer from `low` to `high`."""
    refused = [low - 1, high + 1, *HUGE, "5", "", True, False, 1.5, [], {}]
    return _field(refused, [low, high, (float(low), low)], required, "", nulls)


def number(low: float, high: float, *, above: bool = False, required: bool = True) -> Field:
    """A JSON number from `low`, or above it, to `high`."""
    refused = [low - 1, high + 1, *HUGE, 1e308, "5", True, [], {}, *([low] if above else [])]
    return _field(refused, [low + 0.01, high, *([] if above else [low])], required, "")


def url(*, required: bool = True, shown: str = "", nulls: Any = None) -> Field:
    """An http or https URL."""
    bad = ["ftp://example.com/a", "javascript:alert(1)", "//example.com", "example.com", "", "  ", "http://"]
    bad += ["http://exa mple.com", "https://example.com/" + "a" * 2048]
    good = ["http://example.com", "https://example.com/a?b=c#d", (" https://example.com/a ", "https://example.com/a")]
    longest = "https://example.com/".ljust(2048, "a")
    return _field([*bad, *NOT_TEXT, "http://a.example.com/\0"], [*good, longest], required, shown, nulls)


def email(*, required: bool = True, shown: str = "") -> Field:
    """An email address, trimmed and lower-cased."""
    bad = ["", " ", "nobody", "a@", "@example.com", "a@b@example.com", "a b@example.com", "a@example"]
    long = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.museum"  # 254 characters
    good = ["a+b@example.com", long, ("  Mixed.Case@EXAMPLE.com ", "mixed.case@example.com")]
    return _field([*bad, *NOT_TEXT, f"{long}m", "a\0@example.com"], good, required, shown)


def country() -> Field:
    """An ISO 3166-1 alpha-2 code, upper-cased."""
    bad = ["", " ", "A", "AUT", "XX", "UK", "A\0", "ÄT", *NOT_TEXT]
    return _field(bad, [("at", "AT"), (" dE ", "DE")], True, "")


def choice(*values: str, required: bool = True, nulls: Any = None) -> Field:
    """One of the declared texts."""
    bad = ["", " ", "nope", values[0].upper(), f"{values[0]} ", values[0] + "\0", *NOT_TEXT]
    return _field(bad, values, required, "", nulls)


def true_false() -> Field:
    """JSON's true or false; false when it is left out."""
    return _field([0, 1, "true", "false", "", "yes", [], {}], [True, False], False, "", nulls=False)


def many(one: Json, limit: int, *, required: bool = False, shown: str = "") -> Field:
    """A list of at most `limit` of `one`."""
    refused = [5, "x", {}, {"0": one}, [one] * (limit + 1), [None], [one, None], [[]]]
    return _field(refused, [([], [])] if not required else [], required, shown, nulls=[])


def nested(*, required: bool = True, nulls: Any = None) -> Field:
    """An object with fields of its own."""
    return _field(NOT_OBJECT, [], required, "", nulls)


class FieldRules:
    """The tests of a resource's fields. A subclass declares the data and how to make who and what is needed."""

    collection: str
    create: dict[str, Field]
    update: dict[str, Field] = {}

    def caller(self) -> Api:
        """Return who may create."""
        return ANYONE

    def body(self) -> Json:
        """Return a full body of a create that is valid now."""
        raise NotImplementedError

    def existing(self) -> tuple[Api, str]:
        """Return the owner of a new document, and its path."""
        caller = self.caller()
        return caller, f"/{self.collection}/{self.made(caller, self.body())['id']}"

    def made(self, caller: Api, body: Json) -> Json:
        """Return the answer to a create."""
        return caller.post(f"/{self.collection}", body, status=201)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test once per field of the table that its argument stands for."""
        tables = {
            "created": self.create,
            "needed": [path for path, field in self.create.items() if field.required and not path.endswith(".0")],
            "optional": [path for path, field in self.create.items() if not field.required and field.accepted],
            "updated": self.update,
            "emptied": [path for path, field in self.update.items() if not field.required],
        }
        for name in set(tables) & set(metafunc.fixturenames):
            metafunc.parametrize(name, list(tables[name]))

    def test_create_refuses(self, api: None, subtests: pytest.Subtests, created: str) -> None:
        caller, body = self.caller(), self.body()
        with nothing_written():
            for value in self.create[created].refused:
                with subtests.test(sent=brief(value)):
                    response = caller("POST", f"/{self.collection}", with_value(body, created, value))
                    check_refusal(response, created, value)

    def test_create_takes(self, api: None, subtests: pytest.Subtests, created: str) -> None:
        caller, field = self.caller(), self.create[created]
        for sent, shown in field.accepted:
            with subtests.test(sent=brief(sent)):
                answer = self.made(caller, with_value(self.body(), created, sent))
                assert at(answer, field.shown or created) == shown

    def test_create_needs(self, api: None, needed: str) -> None:
        caller, body = self.caller(), without(self.body(), needed)
        with nothing_written():
            error = caller.post(f"/{self.collection}", body, status=422)
        assert set(refused_fields(error)) == {needed}

    def test_create_does_without(self, api: None, optional: str) -> None:
        """Null is the same as leaving it out."""
        caller, field = self.caller(), self.create[optional]
        absent = self.made(caller, without(self.body(), optional))
        null = self.made(caller, with_value(self.body(), optional, None))
        assert [at(answer, field.shown or optional) for answer in (absent, null)] == [field.nulls] * 2

    def test_unknown_fields_are_ignored(self, api: None) -> None:
        caller = self.caller()
        made = self.made(caller, self.body() | UNKNOWN)
        assert not {"nonsense", "password_hash"} & set(made)
        assert (made["version"], made["id"]) != (7, NOBODY)


class UpdateRules(FieldRules):
    """The tests of PATCH, besides."""

    def test_update_refuses(self, api: None, subtests: pytest.Subtests, updated: str) -> None:
        owner, path = self.existing()
        with nothing_written():
            for value in self.update[updated].refused:
                with subtests.test(sent=brief(value)):
                    check_refusal(owner("PATCH", path, {updated: value}), updated, value)

    def test_update_takes(self, api: None, subtests: pytest.Subtests, updated: str) -> None:
        owner, path = self.existing()
        field = self.update[updated]
        for sent, shown in field.accepted:
            with subtests.test(sent=brief(sent)):
                owner.patch(path, {updated: sent})
                assert at(owner.get(path), field.shown or updated) == shown

    def test_update_empties(self, api: None, emptied: str) -> None:
        owner, path = self.existing()
        owner.patch(path, {emptied: None})
        assert at(owner.get(path), self.update[emptied].shown or emptied) == self.update[emptied].nulls

    def test_update_leaves_what_is_absent(self, api: None) -> None:
        owner, path = self.existing()
        before = owner.get(path)
        after = owner.patch(path, UNKNOWN | {"version": 1})
        assert after | {"version": 1, "updated_at": 0} == before | {"version": 1, "updated_at": 0}
        assert after["version"] == 2


UNKNOWN = {
    "nonsense": {"$gt": ""},
    "id": NOBODY,
    "_id": NOBODY,
    "created_at": "2001-01-01T00:00:00Z",
    "updated_at": None,
    "password_hash": "x",
    "status": "deleted",
    "deleted_at": "2001-01-01T00:00:00Z",
    "stats": {"view_count": 9},
    "order_number": "ORD-1",
}


def brief(value: Json) -> str:
    """Return a value as a failure names it."""
    text = repr(value)
    return text if len(text) < 60 else f"{text[:40]}... ({len(text)})"


def check_refusal(response: Any, path: str, sent: Json) -> None:
    """Check the status, the code, and that this field and no other is to blame."""
    error = answered(response, 422)
    if sent == "\ud800":  # no JSON at all
        assert error["code"] == "VALIDATION_ERROR"
        return
    assert [name for name in refused_fields(error) if name != path and not name.startswith(f"{path}.")] == []
