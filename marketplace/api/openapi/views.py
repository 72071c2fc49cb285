"""The OpenAPI document, and the two pages that show it. Nothing of them comes from another host."""

from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api.openapi.document import text
from marketplace.representation import to_json


class DocumentView(APIView):
    """A route for anyone that has the document, in one form or another. The document itself leaves it out."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names = ["get", "head"]
    schema = None

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # any response will do
        """Answer errors in JSON, whatever form was asked for."""
        answer = super().handle_exception(exc)
        headers = {name: value for name, value in answer.items() if name != "Content-Type"}
        return HttpResponse(
            to_json(answer.data), status=answer.status_code, headers=headers, content_type="application/json"
        )


class SchemaView(DocumentView):
    """The document in JSON or YAML."""

    renderer_classes = (OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer)

    def get(self, request: Request) -> HttpResponse:
        kind = request.accepted_renderer.format
        named = {"Content-Disposition": f'inline; filename="openapi.{kind}"'}
        return HttpResponse(text(kind), content_type=request.accepted_media_type, headers=named)


class PageView(DocumentView):
    """A page around the document; its scripts find what they need in its attributes."""

    renderer_classes = (TemplateHTMLRenderer,)
    template_name: str

    def get(self, request: Request) -> Response:  # noqa: ARG002
        context: dict[str, Any] = {"title": settings.SPECTACULAR_SETTINGS["TITLE"], "csrf": settings.CSRF_COOKIE_NAME}
        return Response(context, template_name=self.template_name)


class SwaggerView(PageView):
    """Swagger UI: the routes, and forms to try them."""

    template_name = "openapi/swagger.html"


# ReDoc makes its styles while it runs, and searches in a worker that it makes as well.
@method_decorator(csp_replace({"style-src": ["'self'", "'unsafe-inline'"], "worker-src": ["blob:"]}), name="dispatch")
class RedocView(PageView):
    """ReDoc: the whole document, to read."""

    template_name = "openapi/redoc.html"
