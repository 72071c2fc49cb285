"""DRF fields for request bodies: JSON types are taken as they are, `"12"` is no integer and `1` no text.

`openapi` is what the OpenAPI document says of a field besides its type, limits and help text.
"""

from collections.abc import Sequence
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers

from marketplace import fields as documents
from marketplace.mongo import object_id


class TextField(serializers.CharField):
    """A JSON string, trimmed."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(TextField):
    """A new password: 8 to 128 characters, not trimmed."""

    openapi = {"format": "password"}

    def __init__(self) -> None:
        super().__init__(min_length=8, max_length=128, trim_whitespace=False, write_only=True)


class PatternField(TextField, serializers.RegexField):
    """A JSON string that matches a regular expression."""


class EmailField(serializers.EmailField):
    """An email address, trimmed and lower-cased."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data).lower()


class HttpUrlField(TextField):
    """An http or https URL."""

    openapi = {"format": "uri", "pattern": documents.HTTP_URL}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(URLValidator(schemes=["http", "https"]))


class CountryField(TextField):
    """A country code, upper-cased."""

    openapi = {"pattern": "^[A-Za-z]{2}$"}

    default_error_messages = {"unknown": "Not an ISO 3166-1 alpha-2 country code."}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data).upper()
        if code not in documents.country_codes():
            self.fail("unknown")
        return code


class TimezoneField(TextField):
    """The name of a time zone."""

    openapi = {"minLength": 1}

    default_error_messages = {"unknown": "Not an IANA time zone."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in documents.timezone_names():
            self.fail("unknown")
        return name


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not (isinstance(data, int) or (isinstance(data, float) and data.is_integer())):
            self.fail("invalid")
        return int(data)


class NumberField(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return float(data)


class PositiveNumberField(NumberField):
    """A JSON number above 0."""

    openapi = {"exclusiveMinimum": 0}

    default_error_messages = {"positive": "Must be greater than 0."}

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        if number <= 0:
            self.fail("positive")
        return number


class TrueFalseField(serializers.BooleanField):
    """JSON's true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OneOfField(serializers.ChoiceField):
    """One of the declared values, as a JSON string. `component` is the name of their enum in the OpenAPI document."""

    def __init__(self, *, choices: Sequence[str], component: str, **kwargs: Any) -> None:
        self.component = component
        super().__init__(choices, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class ObjectIdField(serializers.CharField):
    """A 24-hex MongoDB ObjectId."""

    openapi = {"pattern": "^[0-9a-fA-F]{24}$"}

    default_error_messages = {"malformed": "Not a 24-character hexadecimal id."}

    def to_internal_value(self, data: Any) -> Any:
        found = object_id(data)
        if found is None:
            self.fail("malformed")
        return found


class MapField(serializers.DictField):
    """A map whose keys follow the rules of the document's `KeyedMapField`; `component` is its name in OpenAPI."""

    def __init__(self, *, source_field: documents.KeyedMapField, component: str, **kwargs: Any) -> None:
        self.source_field = source_field
        self.component = component
        super().__init__(**kwargs)

    @property
    def openapi(self) -> dict[str, Any]:
        """The limits of the map."""
        return {
            "description": "Entries by their names.",
            "maxProperties": self.source_field.max_entries,
            "propertyNames": {
                "minLength": 1,
                "maxLength": self.source_field.max_key_length,
                "pattern": documents.MAP_KEY,
            },
        }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        problems = {key: [problem] for key in data if (problem := self.source_field.key_problem(key))}
        if problems:
            raise serializers.ValidationError(problems)
        if len(data) > self.source_field.max_entries:
            raise serializers.ValidationError(f"At most {self.source_field.max_entries} entries.")
        return self.run_child_validation(data)


class StatusListField(serializers.CharField):
    """A comma-separated list of declared values, as a query parameter; gives a list in a fixed order."""

    default_error_messages = {"invalid_choice": '"{input}" is not a valid choice.'}

    def __init__(self, *, choices: tuple[str, ...], **kwargs: Any) -> None:
        self.choices = choices
        super().__init__(**kwargs)

    @property
    def openapi(self) -> dict[str, str]:
        """A text and not an array: generated clients would send an array as repeated parameters."""
        one = f"({'|'.join(self.choices)})"
        return {"pattern": f"^{one}(,{one})*$"}

    def to_internal_value(self, data: Any) -> Any:
        names = sorted({name.strip() for name in super().to_internal_value(data).split(",")})
        for name in names:
            if name not in self.choices:
                self.fail("invalid_choice", input=name)
        return names
