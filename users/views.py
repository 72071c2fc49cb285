"""The users resource."""

from typing import Any

from marketplace.api.openapi.routes import may_answer
from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import EditableResourceViewSet
from marketplace.errors import DuplicateError
from marketplace.mongo import Stored
from marketplace.pages import Page
from users import examples, services
from users.documents import User
from users.serializers import UserCreateSerializer, UserUpdateSerializer


class UserViewSet(EditableResourceViewSet):
    document = User
    create_serializer_class = UserCreateSerializer
    update_serializer_class = UserUpdateSerializer
    example = examples.USER
    changed_example = examples.CHANGED

    def perform_list(self, query: Query) -> Page:
        """Oldest first, deleted ones left out."""
        return services.user_list(**query)

    @may_answer(DuplicateError)
    def perform_create(self, changes: Changes) -> Stored:
        """Sign up as a user. Log in with `POST /auth/token` then. Sends `user.created`."""
        return services.user_create(password=changes.pop("password"), changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        """Change what the body names and leave the rest. Sends `user.updated`."""
        return services.user_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        """Delete the account. It is not found from then on, and its tokens stop working. Sends `user.deleted`."""
        services.user_delete(**target)
