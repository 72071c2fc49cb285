"""The base of all resource viewsets: parse, call one service, shape the answer.

A subclass names its document, its serializers and its query, and maps each verb to a service in `perform_*`. Services
give stored documents (`Stored`); what a caller sees of them is the policy's business.
"""

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from marketplace import policy
from marketplace.api import caching
from marketplace.api.authentication import caller_of
from marketplace.api.limits import RateLimitedView
from marketplace.api.openapi.operations import ResourceSchema
from marketplace.api.preconditions import UpdateSerializer, VersionSerializer, etag, expected_versions, is_known
from marketplace.api.queries import ListQuery, ListRequest, Query
from marketplace.api.serializers import Changes, answer
from marketplace.callers import Caller
from marketplace.errors import NotFoundError
from marketplace.mongo import Document, Readable, Stored
from marketplace.pages import Page
from marketplace.representation import Audience, decoded, has_owner_only, memoized, ready, shape

Body = Any  # what orjson takes for one document: a dict, or ready JSON


@memoized
def _validator(kind: type[serializers.BaseSerializer[Any]]) -> Any:
    """Return one instance per class: it keeps no state, and building its fields costs more than running them."""
    return kind()


class ResourceViewSet(RateLimitedView, GenericViewSet[Any]):
    """List, create and read one kind of document; actions for its transitions."""

    schema = ResourceSchema()
    document: type[Document]
    create_serializer_class: type[serializers.Serializer[Any]]
    query_serializer_class: type[ListQuery] = ListQuery
    # Whether all that a single resource shows changes with its version; else a client never has it already.
    is_versioned_whole = True
    # Answers that the OpenAPI document shows. An action may have its own; a new resource, where it looks different.
    example: Any = None
    created_example: Any = None
    changed_example: Any = None
    # Whether POST takes an Idempotency-Key.
    is_idempotent = False
    lookup_field = "id"
    lookup_value_converter = "str"
    http_method_names = ["get", "post", "patch", "delete", "head"]

    # --- what a subclass maps to its services ---

    @abstractmethod
    def perform_list(self, query: Query) -> Page: ...

    def perform_retrieve(self, identifier: str) -> Stored:
        """What the caller may not see is not found."""
        return policy.find(self.document, identifier, self.caller)

    @abstractmethod
    def perform_create(self, changes: Changes) -> Stored: ...

    # --- verbs ---

    def list(self, request: Request) -> Response:
        asked = ListRequest(
            request.path.rstrip("/"), request.query_params.dict(), _validator(self.query_serializer_class)
        )
        page = self.perform_list(asked.filters | {"window": asked.window})
        answered = self.readable(self.bodies(page.documents))
        if page.end is not None:
            # https://www.rfc-editor.org/rfc/rfc8288
            asked_for = request._request
            url = f"{asked_for.scheme}://{asked_for.get_host()}{asked.next_path(page.end)}"
            answered["Link"] = f'<{url}>; rel="next"'
        return answered

    def retrieve(self, request: Request, id: str) -> Response:
        stored = self.perform_retrieve(id)
        if self._shows_more(stored):
            return self.answer(stored)
        if self.is_versioned_whole and self.is_for_programs and is_known(request, stored):
            return self.readable(None, status=status.HTTP_304_NOT_MODIFIED, ETag=etag(stored))
        return self.readable(self.bodies([stored])[0], ETag=etag(stored))

    def create(self, request: Request) -> Response:  # noqa: ARG002
        return self.created(self.perform_create(self.validated(self.create_serializer_class)))

    def created(self, stored: Stored) -> Response:
        """Return the answer with a new resource."""
        answered = self.answer(stored, status=status.HTTP_201_CREATED)
        answered["Location"] = f"{self.request.path.rstrip('/')}/{stored['_id']}"
        return answered

    def transition(self, service: Callable[..., Stored], id: str) -> Response:
        """Run a service that changes the status and takes a body, described by the action's serializer."""
        changes = self.validated(self.get_serializer_class())
        return self.answer(service(**self.target(id, changes), **changes))

    # --- shared steps ---

    @property
    def caller(self) -> Caller:
        """The caller that authentication found."""
        return caller_of(self.request)

    @property
    def is_for_programs(self) -> bool:
        """Whether JSON was asked for, not a page of the browsable API with its forms."""
        return bool(self.request.accepted_renderer.format == "json")

    def validated(self, kind: type[serializers.BaseSerializer[Any]]) -> Changes:
        """Return the validated body."""
        changes: Changes = _validator(kind).run_validation(self.request.data)
        return changes

    def target(self, identifier: str, changes: Changes) -> dict[str, Any]:
        """Return what every service for an existing document takes: caller, id and the expected versions."""
        expected = expected_versions(self.request, changes)
        return {"caller": self.caller, "identifier": identifier, "expected": expected}

    def bodies(self, stored: Sequence[Readable]) -> Sequence[Body]:
        """Return what the caller sees of the documents."""
        return [self._body(one, policy.audience(self.caller, self.document, one)) for one in stored]

    def _body(self, stored: Readable, audience: Audience) -> Body:
        """Return one body; documents that came as BSON go out as ready JSON, unless it is for the browsable API."""
        if isinstance(stored, RawBSONDocument):
            if self.is_for_programs:
                return ready(self.document, audience, bytes(stored.raw))
            stored = decoded(bytes(stored.raw))
        return shape(self.document, audience)(stored)

    def _shows_more(self, stored: Stored) -> bool:
        """Whether the caller sees more than the public of this version. Both have its ETag.

        So such an answer is not to be kept and never 304: a browser asks for one with the ETag of the other, whatever
        Vary says (https://www.rfc-editor.org/rfc/rfc9111#section-4.3.1), and after a log-in or log-out it would go on
        showing what it has.
        """
        return has_owner_only(self.document) and policy.owns(self.caller, self.document, stored)

    def readable(self, body: Body, status: int = status.HTTP_200_OK, **headers: str) -> Response:
        """Return the answer to a read, with what caches may do with it."""
        if self.is_for_programs:
            headers |= caching.readable(self.caller)
        return Response(body, status=status, headers=headers)

    def answer(self, stored: Stored, status: int = status.HTTP_200_OK) -> Response:
        """Return a single resource that caches do not keep: the answer to a write, or what only its owner sees."""
        return Response(self.bodies([stored])[0], status=status, headers={"ETag": etag(stored)})

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return the serializer of the request body, for the browsable API's forms and OpenAPI."""
        if self.serializer_class is not None:  # set by an action
            return self.serializer_class
        if self.action == "create":
            return self.create_serializer_class
        return answer(self.document)


class EditableResourceViewSet(ResourceViewSet):
    """Change and delete, besides."""

    update_serializer_class: type[UpdateSerializer]

    @abstractmethod
    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored: ...

    @abstractmethod
    def perform_destroy(self, target: dict[str, Any]) -> None: ...

    def partial_update(self, request: Request, id: str) -> Response:  # noqa: ARG002
        changes = self.validated(self.update_serializer_class)
        return self.answer(self.perform_update(self.target(id, changes), changes))

    def destroy(self, request: Request, id: str) -> Response:  # noqa: ARG002
        self.perform_destroy(self.target(id, self.validated(VersionSerializer)))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return PATCH's serializer, or as the base does."""
        return self.update_serializer_class if self.action == "partial_update" else super().get_serializer_class()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return PATCH's form for the browsable API, filled with what is there (DRF calls this for forms only)."""
        if self.action == "partial_update":
            with contextlib.suppress(NotFoundError):  # just deleted: an empty form below the answer
                kwargs["instance"] = self.bodies([self.perform_retrieve(self.kwargs["id"])])[0]
        return super().get_serializer(*args, **kwargs)
