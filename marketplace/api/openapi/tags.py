"""The groups of operations in the OpenAPI document."""

# By the first part of the path: name and description.
_TAGS = {
    "auth": ("Accounts", "Access and refresh tokens for users, suppliers and staff."),
    "users": ("Users", "People who write posts and buy. A user sees and changes their own account only."),
    "suppliers": ("Suppliers", "Companies that sell products; accounts of their own, different from users'."),
    "products": ("Products", "What suppliers sell: prices, variants, stock, and a status from draft to discontinued."),
    "orders": ("Orders", "What users buy. Placing an order takes its stock, cancelling gives it back."),
    "posts": ("Posts", "What users write, as drafts or published."),
    "": ("Service", "The service itself: its version, and whether it works."),
}


def tag_of(collection: str) -> str:
    """Return the tag of the routes below a first part of the path."""
    return _TAGS.get(collection, _TAGS[""])[0]


def tags() -> list[dict[str, str]]:
    """Return all tags as the document lists them."""
    return [{"name": name, "description": description} for name, description in _TAGS.values()]
