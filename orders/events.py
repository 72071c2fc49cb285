"""What happens to orders, as other systems hear of it. `data` is the order as its customer sees it."""

from marketplace.events.catalogue import EventType
from orders import examples

ORDER_CREATED = EventType(
    "order.created", "a user placed an order; a product.updated per product goes along", examples.ORDER
)
ORDER_CANCELLED = EventType("order.cancelled", "an order was cancelled and its stock given back", examples.CANCELLED)
