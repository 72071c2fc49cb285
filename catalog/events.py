"""What happens to suppliers and products, as other systems hear of it.

A supplier's `data` leaves out `banking_info`; a product's is what its owner sees, `cost_cents` included.
"""

from marketplace.events.catalogue import EventType

SUPPLIER_CREATED = EventType("supplier.created", "a supplier signed up")
SUPPLIER_UPDATED = EventType("supplier.updated", "a supplier's data changed; not when their products do")
SUPPLIER_DELETED = EventType("supplier.deleted", "a supplier was removed, after a product.deleted per product")

PRODUCT_CREATED = EventType("product.created", "a supplier added a product, as a draft")
PRODUCT_UPDATED = EventType("product.updated", "a product's data changed, its stock by an order or cancellation too")
PRODUCT_PUBLISHED = EventType("product.published", "a draft became active")
PRODUCT_DISCONTINUED = EventType("product.discontinued", "a product is no longer sold")
PRODUCT_OUT_OF_STOCK = EventType("product.out_of_stock", "the owner marked it; not when a sale takes the last piece")
PRODUCT_RESTORED = EventType("product.restored", "a product went back to draft")
PRODUCT_DELETED = EventType("product.deleted", "a product was deleted for good; carries the id and the time only")
