"""OpenAPI operations of all views: what policy, path, method and docstrings tell of a route, in one shape."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent, append_meta
from drf_spectacular.utils import OpenApiExample
from rest_framework.serializers import ListSerializer

from marketplace.api.fields import MapField, OneOfField
from marketplace.api.openapi import headers, problems, security
from marketplace.api.openapi.routes import Route
from marketplace.api.openapi.tags import tag_of
from marketplace.api.serializers import answer

Schema = dict[str, Any]

_VERBS = {"retrieve": "read", "partial_update": "update", "destroy": "delete"}
_OUTCOMES = {"200": "Done.", "201": "Created.", "204": "Done; there is nothing to tell.", "503": "Not ready."}


class ApiSchema(AutoSchema):
    """Describes a view. What its answers contain, viewsets know (ResourceSchema) and others tell by extend_schema."""

    view: Any

    @property
    def route(self) -> Route:
        """The route that is being described."""
        return Route(self.method, self.path, self.view)

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema | None:
        operation: Schema | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        identifier = [{"$ref": "#/components/parameters/Id"}] if self.route.single else []
        named = headers.parameters(self.request_headers())
        operation["parameters"] = [*identifier, *map(_unwrapped, operation.get("parameters", ())), *named]
        operation.setdefault("security", [])
        operation["responses"] = dict(sorted((self._problems() | self._answers(operation["responses"])).items()))
        return operation

    def get_operation_id(self) -> str:
        parts = [part.replace("-", "_") for part in self.path.split("/") if part and "{" not in part]
        return "_".join(parts) or "index"

    def get_tags(self) -> list[str]:
        return [tag_of(self.route.collection)]

    def get_description(self) -> str:  # type: ignore[override]  # the library's own signature
        return self.route.description()

    def get_auth(self) -> list[Schema]:
        return security.requirements(self.route)

    def request_headers(self) -> Iterator[str]:
        """Yield the names of the request headers that mean something here."""
        yield "X-Request-ID"

    def answer_headers(self, status: str) -> Iterator[str]:  # noqa: ARG002  # for subclasses
        """Yield the names of the headers of an answer without error."""
        yield "X-Request-ID"
        if self.route.limited:
            yield from headers.LIMITS

    def _answers(self, answers: Schema) -> Schema:
        for status, one in answers.items():
            one["headers"] = headers.references(self.answer_headers(status))
            one["description"] = _OUTCOMES[status]
        return answers

    def _problems(self) -> Schema:
        found = {}
        for status, name, response in problems.responses(problems.problems_of(self.route)):
            found[str(status)] = self._component(name, ResolvedComponent.RESPONSE, response)
        return found

    def _resolve_path_parameters(self, variables: list[str]) -> list[Schema]:  # noqa: ARG002
        """Return nothing: a path parameter is the id of a document, which `get_operation` refers to."""
        return []

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002
        if isinstance(field, OneOfField):
            return self._named(field, {"type": "string", "enum": list(field.choices)}, direction)
        if isinstance(field, MapField):
            entry = self._map_serializer_field(field.child, direction)
            return self._named(field, {"type": "object", "additionalProperties": entry} | field.openapi, direction)
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(field, ListSerializer) and (longest := getattr(field, "max_length", None)) is not None:
            schema["maxItems"] = longest
        # What a field says of itself, where the library cannot know.
        return schema and schema | getattr(field, "openapi", {})

    def _named(self, field: OneOfField | MapField, schema: Schema, direction: Any) -> Schema:
        """Return the reference to a field's own component: clients get one class for it, with a name that lasts."""
        reference = self._component(field.component, ResolvedComponent.SCHEMA, schema)
        meta = self._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        described: Schema = append_meta(reference, meta)
        return described

    def _component(self, name: str, kind: str, content: Schema) -> Schema:
        """Put a component into the document, once, and return the reference to it."""
        component = ResolvedComponent(name, kind, schema=content, object=ApiSchema)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component.ref


def _unwrapped(parameter: Schema) -> Schema:
    """Return a parameter whose schema is a reference as it is: the library put it beside a description, now gone."""
    match parameter["schema"]:
        case {"allOf": [reference], **others} if not others:
            return parameter | {"schema": reference}
    return parameter


class ResourceSchema(ApiSchema):
    """Describes a ResourceViewSet: bodies, answers and query parameters as it declares them."""

    def get_operation_id(self) -> str:
        return f"{self.route.collection}_{_VERBS.get(self.route.action, self.route.action)}"

    def get_summary(self) -> str:
        one = self.view.document.__name__.lower()
        article = "an" if one[0] in "aeiou" and one != "user" else "a"
        if self._is_list_view():
            return f"List {one}s"
        verb, *rest = _VERBS.get(self.view.action, self.view.action).split("_")
        return " ".join([verb.capitalize(), article, one, *rest])

    def get_request_serializer(self) -> Any:
        return self.view.get_serializer_class() if self.method in ("POST", "PATCH") else None

    def get_response_serializers(self) -> Any:
        if self.method == "DELETE":
            return None
        kind = answer(self.view.document)
        return {self._status: kind(many=True) if self._is_list_view() else kind()}

    @property
    def _status(self) -> str:
        return {"create": "201", "destroy": "204"}.get(self.view.action, "200")

    def get_examples(self) -> list[OpenApiExample]:
        """Return the body that the serializer shows as its example, and the answer that the viewset shows."""
        request = getattr(self.get_request_serializer(), "example", None)
        sent = [OpenApiExample("Request", request, request_only=True)] if request is not None else []
        special = {"create": self.view.created_example, "partial_update": self.view.changed_example}
        shown = special.get(self.view.action) or self.view.example
        return [*sent, OpenApiExample("Answer", shown, response_only=True)]

    def _is_list_view(self, serializer: Any = None) -> bool:  # noqa: ARG002  # the library's signature
        return bool(self.view.action == "list")

    def get_override_parameters(self) -> Any:
        return [self.view.query_serializer_class()] if self._is_list_view() else []

    def request_headers(self) -> Iterator[str]:
        yield from super().request_headers()
        if self.route.single and self.route.unsafe:
            yield "If-Match"
        if self._is_conditional_read:
            yield "If-None-Match"
        if self._is_idempotent:
            yield "Idempotency-Key"

    def answer_headers(self, status: str) -> Iterator[str]:
        yield from super().answer_headers(status)
        if self._is_list_view():
            yield "Link"
        elif status != "204":
            yield "ETag"
        if status == "201":
            yield "Location"
        if self._is_idempotent:
            yield "Idempotent-Replayed"

    @property
    def _is_conditional_read(self) -> bool:
        return bool(self.view.action == "retrieve" and self.view.is_versioned_whole)

    @property
    def _is_idempotent(self) -> bool:
        return bool(self.view.action == "create" and self.view.is_idempotent)

    def _answers(self, answers: Schema) -> Schema:
        found = super()._answers(answers)
        if self._is_conditional_read:
            names = (*self.answer_headers("304"),)
            found["304"] = {"description": "You have the current version.", "headers": headers.references(names)}
        return found
