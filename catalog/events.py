"""What happens to suppliers and products, as other systems hear of it.

A supplier's `data` leaves out `banking_info`; a product's is what its owner sees, `cost_cents` included.
"""

from catalog import examples
from marketplace.events.catalogue import EventType

SUPPLIER_CREATED = EventType("supplier.created", "a supplier signed up", examples.SUPPLIER_EVENT)
SUPPLIER_UPDATED = EventType(
    "supplier.updated", "a supplier's data changed; not when their products do", examples.CHANGED_SUPPLIER_EVENT
)
SUPPLIER_DELETED = EventType("supplier.deleted", "a supplier was removed, after a product.deleted per product")

PRODUCT_CREATED = EventType("product.created", "a supplier added a product, as a draft", examples.PRODUCT)
PRODUCT_UPDATED = EventType(
    "product.updated", "a product's data changed, its stock by an order or cancellation too", examples.CHANGED_PRODUCT
)
PRODUCT_PUBLISHED = EventType("product.published", "a draft became active", examples.PUBLISHED)
PRODUCT_DISCONTINUED = EventType("product.discontinued", "a product is no longer sold", examples.DISCONTINUED)
PRODUCT_OUT_OF_STOCK = EventType(
    "product.out_of_stock", "the owner marked it; not when a sale takes the last piece", examples.OUT_OF_STOCK
)
PRODUCT_RESTORED = EventType("product.restored", "a product went back to draft", examples.RESTORED)
PRODUCT_DELETED = EventType("product.deleted", "a product was deleted for good; carries the id and the time only")
