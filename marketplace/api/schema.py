"""OpenAPI of resource viewsets: bodies, answers and query parameters as the viewset declares them."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from marketplace.api.serializers import answer

_VERBS = {"retrieve": "read", "partial_update": "change", "destroy": "delete"}


class ResourceSchema(AutoSchema):
    """Describes a ResourceViewSet; other views describe themselves by `extend_schema`."""

    view: Any

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
        status = 201 if self.view.action == "create" else 200
        kind = answer(self.view.document)
        return {status: kind(many=True) if self._is_list_view() else kind()}

    def _is_list_view(self, serializer: Any = None) -> bool:  # noqa: ARG002  # the library's signature
        return bool(self.view.action == "list")

    def get_override_parameters(self) -> Any:
        return [self.view.query_serializer_class()] if self._is_list_view() else []


class IdentityHeaderScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The identity headers of a trusted gateway."""

    target_class = "marketplace.api.authentication.IdentityHeaderAuthentication"
    name = ["userId", "supplierId"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:  # noqa: ARG002
        return [{"type": "apiKey", "in": "header", "name": name} for name in ("X-User-ID", "X-Supplier-ID")]


class StaffSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session cookie of the Django admin."""

    target_class = "marketplace.api.authentication.StaffSessionAuthentication"
    name = "staffSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
