"""Fields and documents that only some callers see: a supplier's bank, a variant's cost, drafts (SPEC section 2)."""

import pytest

from tests.api import Api, Json
from tests.world import CALLERS, World

# What each caller of CALLERS sees: a supplier's bank, a variant's cost, a draft of a product.
SHOWN = """
banking_info  hidden shown hidden hidden shown
cost_cents    hidden shown hidden hidden shown
draft         hidden shown hidden hidden shown
"""


@pytest.mark.parametrize("row", SHOWN.strip().splitlines())
def test_who_sees_what(staff: Api, subtests: pytest.Subtests, row: str) -> None:
    what, *expected = row.split()
    world = World(staff)
    for name, shown in zip(CALLERS, expected, strict=True):
        with subtests.test(caller=name):
            caller = world.caller(name, "supplier")
            assert SEEN[what](caller, world) == [shown == "shown"] * len(SEEN[what](caller, world))


def sees_bank(caller: Api, world: World) -> list[bool]:
    found = [caller.get(f"/suppliers/{world.supplier.id}"), listed(caller, "/suppliers?limit=100", world.supplier.id)]
    return [supplier["banking_info"] is not None for supplier in found]


def sees_cost(caller: Api, world: World) -> list[bool]:
    paths = ("/products?limit=100", f"/products?supplier_id={world.supplier.id}", "/products?status=active")
    found = [caller.get(f"/products/{world.product['id']}")]
    found += [listed(caller, path, world.product["id"]) for path in paths]
    return [product["variants"]["Red"]["cost_cents"] is not None for product in found]


def sees_draft(caller: Api, world: World) -> list[bool]:
    paths = ("/products?limit=100", f"/products?supplier_id={world.supplier.id}", "/products?status=draft,active")
    single = caller("GET", f"/products/{world.draft['id']}").status_code == 200
    return [single, *(listed(caller, path, world.draft["id"]) is not None for path in paths)]


SEEN = {"banking_info": sees_bank, "cost_cents": sees_cost, "draft": sees_draft}


def listed(caller: Api, path: str, identifier: str) -> Json:
    """Return an entry of a list, or None."""
    return next((entry for entry in caller.get(path) if entry["id"] == identifier), None)


@pytest.mark.parametrize("caller", CALLERS)
def test_nobody_finds_drafts_of_posts_in_lists(staff: Api, caller: str) -> None:
    world = World(staff)
    found = world.caller(caller, "user").get(f"/posts?limit=100&author_id={world.user.id}")
    assert [post["id"] for post in found] == [world.post["id"]]
