"""`DocumentSerializer`: request validation and OpenAPI derived from MongoEngine documents.

As DRF's ModelSerializer does for the ORM. It validates requests only; answers are shaped by
`marketplace.representation` straight from BSON, and their serializer (`answer`) serves the OpenAPI document.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any

import mongoengine as me
from rest_framework import serializers

from marketplace import fields as documents
from marketplace.api import fields as api
from marketplace.mongo import Document
from marketplace.representation import memoized

Changes = dict[str, Any]  # values by dotted path in the document


class DocumentSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Validates a request body against declared document fields.

    `Meta.document` is the document class; `Meta.fields` maps names in the request to dotted paths in the document.
    `Meta.partial = True` makes every field optional (PATCH). Validated data is a flat dict by dotted path, nested
    documents in it are MongoEngine objects. `null` counts as absent on create and as the default on PATCH.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        partial = getattr(self.Meta, "partial", False)
        derived = {
            name: request_field(_field_at(self.Meta.document, path), name=name, path=path, partial=partial)
            for name, path in self.Meta.fields.items()
        }
        return derived | super().get_fields()

    def set_value(self, dictionary: MutableMapping[str, Any], keys: Sequence[str], value: Any) -> None:
        """Keep values flat, by path."""
        dictionary[".".join(keys)] = value

    def to_internal_value(self, data: Any) -> Changes:
        changes: Changes = super().to_internal_value(data)
        if not getattr(self.Meta, "partial", False):
            return {path: value for path, value in changes.items() if value is not None}
        return {path: self._or_default(path, value) for path, value in changes.items()}

    def _or_default(self, path: str, value: Any) -> Any:
        if value is not None or path not in self.Meta.fields.values():
            return value
        default = _field_at(self.Meta.document, path).default
        return default() if callable(default) else default

    class Meta:
        document: type[Document]
        fields: dict[str, str]


class EmbeddedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Validates one embedded document; gives the MongoEngine object."""

    document: type[me.EmbeddedDocument]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: request_field(field, name=name) for name, field in self.document._fields.items()}

    def to_internal_value(self, data: Any) -> me.EmbeddedDocument:
        values = super().to_internal_value(data)
        return self.document(**{name: value for name, value in values.items() if value is not None})


def _field_at(document: Any, path: str) -> Any:
    """Return the document field at a dotted path."""
    *parents, name = path.split(".")
    for parent in parents:
        document = document._fields[parent].document_type
    return document._fields[name]


@memoized
def embedded(document: type[me.EmbeddedDocument]) -> type[EmbeddedSerializer]:
    """Return the serializer class of an embedded document."""
    return type(f"{document.__name__}Serializer", (EmbeddedSerializer,), {"document": document})


# MongoEngine's own types by the DRF field that checks them; the nearest class of a field's ancestry counts.
_TYPES: dict[type, type[serializers.Field[Any, Any, Any, Any]]] = {
    me.StringField: api.TextField,
    documents.EmailField: api.EmailField,
    documents.HttpUrlField: api.HttpUrlField,
    documents.CountryField: api.CountryField,
    documents.TimezoneField: api.TimezoneField,
    documents.PositiveFloatField: api.PositiveNumberField,
    me.IntField: api.WholeNumberField,
    me.FloatField: api.NumberField,
    me.BooleanField: api.TrueFalseField,
    me.ObjectIdField: api.ObjectIdField,
    me.DateTimeField: serializers.DateTimeField,
    me.DictField: serializers.DictField,
}


def request_field(
    field: Any, *, name: str, path: str = "", partial: bool = False
) -> serializers.Field[Any, Any, Any, Any]:
    """Return the DRF field that validates a value for a document field. Raises KeyError for a type without a rule."""
    options: dict[str, Any] = {"required": not partial and field.required and field.default is None}
    options["allow_null"] = not field.required or field.default is not None
    if path not in ("", name):
        options["source"] = path
    return _nested_field(field, options) or _plain_field(field, options)


def _nested_field(field: Any, options: dict[str, Any]) -> serializers.Field[Any, Any, Any, Any] | None:
    if isinstance(field, me.EmbeddedDocumentField):
        return embedded(field.document_type)(**options)
    if isinstance(field, documents.KeyedMapField):
        return api.MapField(child=embedded(field.field.document_type)(), source_field=field, **options)
    if not isinstance(field, me.ListField):
        return None
    options |= {"max_length": field.max_length, "allow_empty": not field.required}
    if isinstance(field.field, me.EmbeddedDocumentField):
        # Not `many=True`, which lets null entries in where the list may be null.
        return serializers.ListSerializer(child=embedded(field.field.document_type)(), **options)
    child = request_field(field.field, name="")
    child.allow_null = False
    return serializers.ListField(child=child, **options)


def _plain_field(field: Any, options: dict[str, Any]) -> serializers.Field[Any, Any, Any, Any]:
    if field.choices:
        return api.OneOfField(choices=field.choices, **options)
    for limit in ("min_value", "max_value", "min_length", "max_length"):
        if getattr(field, limit, None) is not None:
            options[limit] = getattr(field, limit)
    kind = next(_TYPES[base] for base in type(field).__mro__ if base in _TYPES)
    if kind is api.TextField:
        options["allow_blank"] = not (field.required or field.min_length or field.regex)
        if field.regex is not None:
            return api.PatternField(field.regex, **options)
    return kind(**options)


@memoized
def answer(document: Any) -> type[serializers.Serializer[Any]]:
    """Return the serializer class that describes a stored or embedded document in answers, for the OpenAPI document."""
    return type(f"{document.__name__}Serializer", (AnswerSerializer,), {"document": document})


class AnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Describes a stored or embedded document as answers show it: every field is there, optional ones may be null."""

    document: Any

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        names = [name for name, field in self.document._fields.items() if not getattr(field, "private", False)]
        fields = {name: _answer_field(self.document._fields[name]) for name in names}
        if issubclass(self.document, Document):
            fields["id"] = serializers.CharField(min_length=24, max_length=24, read_only=True)
        return fields | super().get_fields()


def _answer_field(field: Any) -> serializers.Field[Any, Any, Any, Any]:
    options: dict[str, Any] = {"read_only": True}
    many = isinstance(field, me.ListField)
    inner = field.field if many or isinstance(field, me.MapField) else field
    if not many and (getattr(field, "owner_only", False) or (not field.required and field.default is None)):
        options["allow_null"] = True
    if isinstance(inner, me.EmbeddedDocumentField):
        return _answer_nested(field, inner.document_type, options)
    if many:
        return serializers.ListField(child=_answer_field(inner), **options)
    if isinstance(field, me.DictField):
        return serializers.DictField(child=serializers.CharField(), **options)
    if field.choices:
        return serializers.ChoiceField(choices=field.choices, **options)
    kind = next(_TYPES[base] for base in type(field).__mro__ if base in _TYPES)
    return kind(**options)


def _answer_nested(
    field: Any, document: type[me.EmbeddedDocument], options: dict[str, Any]
) -> serializers.Field[Any, Any, Any, Any]:
    kind = answer(document)
    if isinstance(field, me.MapField):
        return serializers.DictField(child=kind(), **options)
    return kind(many=isinstance(field, me.ListField), **options)
