"""MongoEngine fields that the domain documents share: texts that normalize and check more than MongoEngine's own."""

import functools
import re
import zoneinfo
from typing import Any

import mongoengine as me
import pycountry

MAX_CENTS = 1_000_000_000
MAX_QUANTITY = 1_000_000_000
MAX_COUNT = 2**53 - 1  # what every JSON client reads exactly
MAX_URL_LENGTH = 2048
MAX_EMAIL_LENGTH = 254
MAX_TIMEZONE_LENGTH = 64  # twice the longest name that there is
# Regular expressions that mean the same to Python and to JSON Schema (ECMA-262).
HTTP_URL = "^[Hh][Tt][Tt][Pp][Ss]?://"
MAP_KEY = r"^(?!\$)[^.\u0000]*$"


@functools.cache
def country_codes() -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes."""
    return frozenset(country.alpha_2 for country in pycountry.countries)


@functools.cache
def timezone_names() -> frozenset[str]:
    """Return the IANA time zone names."""
    return frozenset(zoneinfo.available_timezones())


class CountryField(me.StringField):
    """An ISO 3166-1 alpha-2 code in upper case."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value not in country_codes():
            self.error("Not an ISO 3166-1 alpha-2 country code.")


class TimezoneField(me.StringField):
    """The name of an IANA time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_TIMEZONE_LENGTH, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value not in timezone_names():
            self.error("Not an IANA time zone.")


class HttpUrlField(me.StringField):
    """An http or https URL. The API's validation checks its form, this the scheme."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_URL_LENGTH, regex=HTTP_URL, **kwargs)


class EmailField(me.StringField):
    """An email address in lower case. The API's validation checks its form."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EMAIL_LENGTH, regex=r".+@[^@\s]+\Z", **kwargs)


class CentsField(me.LongField):
    """An amount of money in cents, 0 to MAX_CENTS."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_CENTS, **kwargs)


class QuantityField(me.LongField):
    """A number of pieces, 0 to MAX_QUANTITY."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_QUANTITY, **kwargs)


class PositiveFloatField(me.FloatField):
    """A number above 0."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value <= 0:
            self.error("Must be greater than 0.")


class CounterField(me.LongField):
    """A statistic that counts up from 0."""

    def __init__(self) -> None:
        super().__init__(min_value=0, max_value=MAX_COUNT, default=0, required=True)


class KeyedMapField(me.MapField):
    """A map of at most `max_entries`; keys are 1 to `max_key_length` characters, without `.` and a leading `$`."""

    def __init__(
        self, field: me.EmbeddedDocumentField, *, max_entries: int, max_key_length: int, **kwargs: Any
    ) -> None:
        self.max_entries = max_entries
        self.max_key_length = max_key_length
        super().__init__(field, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        for key in value:
            if (problem := self.key_problem(key)) is not None:
                self.error(problem)
        if len(value) > self.max_entries:
            self.error(f"At most {self.max_entries} entries.")

    def key_problem(self, key: str) -> str | None:
        """Return what is wrong with a key, or None."""
        if not key.strip() or len(key) > self.max_key_length:
            return f"A key has 1 to {self.max_key_length} characters."
        if not re.search(MAP_KEY, key):
            return "A key has no '.', no leading '$' and no null character."
        return None


class TextMapField(me.DictField):
    """Texts by name. Names are anybody's words, so unlike in a DictField they may have a `.` or a leading `$`."""

    def validate(self, value: Any) -> None:
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in [*value, *value.values()]):
            self.error("Must be a map of texts.")
