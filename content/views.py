"""The posts resource."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from content import examples, services
from content.documents import Post
from content.serializers import PostCreateSerializer, PostQuery, PostUpdateSerializer
from marketplace.api.openapi.routes import may_answer
from marketplace.api.preconditions import VersionSerializer
from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import EditableResourceViewSet
from marketplace.errors import StateConflictError
from marketplace.mongo import Stored
from marketplace.pages import Page


class PostViewSet(EditableResourceViewSet):
    document = Post
    create_serializer_class = PostCreateSerializer
    update_serializer_class = PostUpdateSerializer
    example = examples.POST
    changed_example = examples.CHANGED
    query_serializer_class = PostQuery

    def perform_list(self, query: Query) -> Page:
        """Published posts, the newest first; deleted ones and drafts left out."""
        return services.post_list(**query)

    def perform_create(self, changes: Changes) -> Stored:
        """Write a post, published at once or as a draft. Sends `post.created`."""
        is_draft = changes.pop("is_draft", False)
        return services.post_create(caller=self.caller, changes=changes, is_draft=is_draft)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        """Change what the body names and leave the rest. Sends `post.updated`."""
        return services.post_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        """Delete the post. It is not found from then on. Sends `post.deleted`."""
        services.post_delete(**target)

    @action(detail=True, methods=["post"], serializer_class=VersionSerializer, example=examples.PUBLISHED)
    @may_answer(StateConflictError)
    def publish(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Publish a draft. Sends `post.published`."""
        return self.transition(services.post_publish, id)
