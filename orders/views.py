"""The orders resource."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.idempotency import IdempotentCreateViewSet
from marketplace.api.openapi.routes import may_answer
from marketplace.api.queries import Query
from marketplace.api.serializers import Changes
from marketplace.errors import InsufficientStockError, StateConflictError
from marketplace.mongo import Stored
from marketplace.pages import Page
from orders import examples, services
from orders.documents import Order
from orders.serializers import OrderCancelSerializer, OrderCreateSerializer, OrderQuery


class OrderViewSet(IdempotentCreateViewSet):
    document = Order
    create_serializer_class = OrderCreateSerializer
    query_serializer_class = OrderQuery
    example = examples.ORDER

    def perform_list(self, query: Query) -> Page:
        """A user's own orders; for staff those of everybody. Newest first."""
        return services.order_list(caller=self.caller, **query)

    @may_answer(InsufficientStockError, StateConflictError)
    def perform_create(self, changes: Changes) -> Stored:
        """Buy up to 20 lines of products. All of them are there, or nothing is taken.

        Sends `order.created`, and `product.updated` for each product whose stock or count of sales it changes. Send an
        Idempotency-Key to be able to repeat the request safely.
        """
        return services.order_create(caller=self.caller, before_commit=self.keep_answer, **changes)

    @action(detail=True, methods=["post"], serializer_class=OrderCancelSerializer, example=examples.CANCELLED)
    @may_answer(StateConflictError)
    def cancel(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """Cancel a pending or confirmed order and give its stock back.

        Sends `order.cancelled`, and `product.updated` for each product.
        """
        return self.transition(services.order_cancel, id)
