"""The filters of the admin offer what the domain documents allow, though analytics imports nothing of them."""

import pytest

import catalog.documents
import content.documents
import orders.documents
from analytics import models


@pytest.mark.parametrize(
    ("offered", "allowed"),
    [
        (models.CATEGORIES, catalog.documents.CATEGORIES),
        (models.PRODUCT_STATUSES, catalog.documents.PRODUCT_STATUSES),
        (models.ORDER_STATUSES, orders.documents.ORDER_STATUSES),
        (models.FULFILLMENT_STATUSES, orders.documents.FULFILLMENT_STATUSES),
        (models.POST_TYPES, content.documents.POST_TYPES),
        (models.AUTHOR_TYPES, content.documents.AUTHOR_TYPES),
    ],
)
def test_choices_are_those_of_the_documents(offered: list[tuple[str, str]], allowed: tuple[str, ...]) -> None:
    assert [value for value, _ in offered] == list(allowed)
