"""The orders resource."""

from collections.abc import Sequence

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.api.viewsets import ResourceViewSet
from marketplace.mongo import Stored
from orders import services
from orders.documents import Order
from orders.serializers import OrderCancelSerializer, OrderCreateSerializer, OrderQuery


class OrderViewSet(ResourceViewSet):
    document = Order
    create_serializer_class = OrderCreateSerializer
    query_serializer_class = OrderQuery

    def perform_list(self, query: Query) -> Sequence[Stored]:
        return services.order_list(caller=self.caller, **query)

    def perform_create(self, changes: Changes) -> Stored:
        return services.order_create(caller=self.caller, **changes)

    @action(detail=True, methods=["post"], serializer_class=OrderCancelSerializer)
    def cancel(self, request: Request, id: str) -> Response:  # noqa: ARG002
        return self.transition(services.order_cancel, id)
