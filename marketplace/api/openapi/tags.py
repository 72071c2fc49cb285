"""The groups of operations in the OpenAPI document."""

_TAGS = {
    "Accounts": "Access and refresh tokens for users, suppliers and staff.",
    "Users": "People who write posts and buy. A user sees and changes their own account only.",
    "Suppliers": "Companies that sell products; accounts of their own, different from users'.",
    "Products": "What suppliers sell: prices, variants, stock, and a status from draft to discontinued.",
    "Orders": "What users buy. Placing an order takes its stock, cancelling gives it back.",
    "Posts": "What users write, as drafts or published.",
    "Reports": "Revenue, customers, stock and the pipeline in numbers, as JSON or CSV.",
    "Service": "The service itself: its version, and whether it works.",
}
# Of paths whose first part is not the tag's own name.
_OTHERS = {"": "Service", "health": "Service", "auth": "Accounts"}


def tag_of(collection: str) -> str:
    """Return the tag of the routes below a first part of the path. Raises ValueError when there is none."""
    name = _OTHERS.get(collection, collection.title())
    if name not in _TAGS:
        raise ValueError(f"No tag for /{collection}: describe it in marketplace/api/openapi/tags.py")
    return name


def tags() -> list[dict[str, str]]:
    """Return all tags as the document lists them."""
    return [{"name": name, "description": description} for name, description in _TAGS.items()]
