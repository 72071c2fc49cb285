"""The users resource."""

from typing import Any

from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import EditableResourceViewSet
from marketplace.mongo import Stored
from marketplace.pages import Page
from users import services
from users.documents import User
from users.serializers import UserCreateSerializer, UserUpdateSerializer


class UserViewSet(EditableResourceViewSet):
    document = User
    create_serializer_class = UserCreateSerializer
    update_serializer_class = UserUpdateSerializer

    def perform_list(self, query: Query) -> Page:
        return services.user_list(**query)

    def perform_create(self, changes: Changes) -> Stored:
        return services.user_create(password=changes.pop("password"), changes=changes)

    def perform_update(self, target: dict[str, Any], changes: Changes) -> Stored:
        return services.user_update(**target, changes=changes)

    def perform_destroy(self, target: dict[str, Any]) -> None:
        services.user_delete(**target)
