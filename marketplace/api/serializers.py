"""`DocumentSerializer`: request validation and OpenAPI derived from MongoEngine documents.

As DRF's ModelSerializer does for the ORM. It validates requests only; answers are shaped by
`marketplace.representation` straight from BSON, and their serializer (`answer`) serves the OpenAPI document.
"""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, TypeVar

import mongoengine as me
from rest_framework import serializers

from marketplace import fields as documents
from marketplace.api import fields as api
from marketplace.mongo import Document
from marketplace.representation import in_order, memoized, shown_fields

S = TypeVar("S", bound="serializers.Serializer[Any]")
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
    return _named(f"{document.__name__}Input", EmbeddedSerializer, document)


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
    options["help_text"] = getattr(field, "help_text", None)
    if path not in ("", name):
        options["source"] = path
    return _nested_field(field, options) or _plain_field(field, options)


def _nested_field(field: Any, options: dict[str, Any]) -> serializers.Field[Any, Any, Any, Any] | None:
    if isinstance(field, me.EmbeddedDocumentField):
        return embedded(field.document_type)(**options)
    if isinstance(field, documents.KeyedMapField):
        entry, name = embedded(field.field.document_type), f"{_component_name(field)}Input"
        return api.MapField(child=entry(), source_field=field, component=name, **options)
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
        return api.OneOfField(choices=field.choices, component=_component_name(field), **options)
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
    return _named(document.__name__, AnswerSerializer, document)


class AnswerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Describes a stored or embedded document as answers show it: every field is there, optional ones may be null."""

    document: Any

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = in_order(shown_fields(self.document, "owner") | getattr(self.document, "derived", {}))
        return {name: _answer_field(field) for name, field in fields.items()}


@memoized
def event_data(document: Any) -> type[serializers.Serializer[Any]]:
    """Return the serializer class that describes a stored or embedded document in events, for the AsyncAPI document."""
    return _named(document.__name__, EventDataSerializer, document)


class EventDataSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Describes a stored or embedded document as events carry it.

    Events of today have every field. Optional ones, and those marked `added_later=True`, are not required all the
    same: events of former versions, which nobody changes any more, may lack them.
    """

    document: Any

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = in_order(shown_fields(self.document, "event"))
        return {name: self._field(field) for name, field in fields.items()}

    def _field(self, field: Any) -> serializers.Field[Any, Any, Any, Any]:
        text = getattr(field, "help_text", None) or ""
        if isinstance(field, documents.KeyedMapField):
            entry, name = event_data(field.field.document_type), _component_name(field)
            return api.MapField(child=entry(), source_field=field, component=name, help_text=text)
        found = _described(field, text, nullable=_is_optional(field), nested=event_data)
        found.required = not (found.allow_null or getattr(field, "added_later", False))
        return found


def _answer_field(field: Any) -> serializers.Field[Any, Any, Any, Any]:
    nullable = _is_optional(field) or _owner_only(field)
    return _described(field, _answer_text(field), nullable=nullable, nested=answer)


def _is_optional(field: Any) -> bool:
    return not (field.required or field.db_field == "_id") and field.default is None


def _described(
    field: Any, text: str, *, nullable: bool, nested: Callable[[Any], type[serializers.Serializer[Any]]]
) -> serializers.Field[Any, Any, Any, Any]:
    """Return the DRF field that describes a stored field; `nested` gives the serializer of what is embedded in it."""
    options: dict[str, Any] = {"help_text": text}
    if isinstance(field, me.ListField | me.DictField):
        inner = getattr(field, "field", None)
        # MongoEngine requires no value in a list or map; there is one all the same.
        child = _described(inner, "", nullable=False, nested=nested) if inner else serializers.CharField()
        if isinstance(field, me.DictField):
            return serializers.DictField(child=child, **options)
        return serializers.ListField(child=child, max_length=field.max_length, **options)
    options["allow_null"] = nullable
    if isinstance(field, me.EmbeddedDocumentField):
        return nested(field.document_type)(**options)
    return _plain_field(field, options)


def _owner_only(field: Any) -> bool:
    return bool(getattr(field, "owner_only", False))


def _answer_text(field: Any) -> str:
    """Return the field's description."""
    text = getattr(field, "help_text", None) or ""
    return f"{text} Null for everybody but the owner and staff.".strip() if _owner_only(field) else text


def _named(name: str, base: type[S], document: Any) -> type[S]:
    """Return a serializer class for a document, with the document's own description."""
    return type(f"{name}Serializer", (base,), {"document": document, "__doc__": document.__doc__})


def _component_name(field: Any) -> str:
    """Return what a field's type is called in the OpenAPI document: ProductStatus, MediaType (not MediaMediaType)."""
    owner: str = field.owner_document.__name__
    name: str = field.name.title().replace("_", "")
    return name if name.startswith(owner) else owner + name
