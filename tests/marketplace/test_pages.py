"""Pages of lists: by cursor and by skip, with documents that come and go, and what they cost."""

import base64
import itertools
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bson import ObjectId

from marketplace import mongo
from tests.api import DOMAIN, Api, Json, answered, refused_fields
from tests.marketplace.lists import CASES, TIED, Case, Shop

COUNT = 4 * TIED + 7
LINK = re.compile(r'<(http://testserver(/[a-z]+\?[!-;=?-~]+))>; rel="next"')


@pytest.fixture
def shop(staff: Api) -> Shop:
    return Shop(staff, COUNT)


def following(response: Any) -> str:
    """Return path and query of the page behind, nothing when this is the last."""
    if "Link" not in response:
        return ""
    match = LINK.fullmatch(response["Link"])
    assert match, response["Link"]
    return match[2]


def pages(caller: Api, path: str) -> Iterator[list[str]]:
    """Yield the ids on each page, from this one to the last."""
    while path:
        response = caller("GET", path)
        yield [one["id"] for one in answered(response, 200)]
        path = following(response)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_walking_all_pages_gives_each_entry_once(shop: Shop, case: Case) -> None:
    caller, path, expected = shop.callers[case.caller], case.path(shop), shop.expected(case)
    assert len(expected) > 7
    for limit in (1, 7, 100):
        walked = list(pages(caller, f"{path}&limit={limit}"))
        assert walked == [list(part) for part in batched(expected, limit)]
        skip = min(10, len(expected) - 5)
        assert list(itertools.chain(*pages(caller, f"{path}&limit={limit}&skip={skip}"))) == expected[skip:]


def batched(entries: list[str], size: int) -> Iterator[list[str]]:
    """Yield parts of the list."""
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_comes_and_goes_between_pages_shifts_nothing(shop: Shop, case: Case) -> None:
    caller, collection = shop.callers[case.caller], mongo.database()[case.name]
    before, shown, removed = shop.expected(case), [], set()
    for number, page in enumerate(pages(caller, f"{case.path(shop)}&limit=7")):
        shown += page
        shop.add(case.name, range(number, COUNT, 17))  # before the position, behind it, and in its millisecond
        candidates = [one for one in before if one not in removed and one not in _callers(shop)]
        victims = set(shop.random.sample(candidates, 2)) | (set(page[-1:]) - _callers(shop))
        removed |= victims - set(shown)
        collection.delete_many({"_id": {"$in": [ObjectId(one) for one in victims]}})
        if number > 60:
            break
    known = set(before)
    assert len(shown) == len(set(shown))
    assert [one for one in shown if one in known] == [one for one in before if one not in removed]


def _callers(shop: Shop) -> set[str]:
    return {caller.id for caller in shop.callers.values()}


# --- Links ---


def first_cursor(caller: Api, path: str) -> str:
    """Return the cursor of the page behind the first."""
    return cursor_in(following(caller("GET", path)))


def cursor_in(url: str) -> str:
    [cursor] = parse_qs(urlsplit(url).query)["cursor"]
    return cursor


def test_a_link_keeps_limit_and_filters_and_nothing_else(shop: Shop) -> None:
    staff, user = shop.callers["staff"], shop.users[0].id
    path = f"/orders?status=pending,failed&skip=3&limit=2&user_id={user}&access_token=secret&format=x&limit=4"
    found = parse_qs(urlsplit(following(staff("GET", path))).query)
    assert found.pop("cursor")
    assert found == {"status": ["pending,failed"], "limit": ["4"], "user_id": [user]}
    assert parse_qs(urlsplit(following(staff("GET", "/orders"))).query).keys() == {"cursor"}


def test_a_link_names_the_host_that_was_asked(shop: Shop, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    response = Api()("GET", "/products/", Host="shop.example.com:8443", X_Forwarded_Proto="https")
    assert response["Link"].startswith("<https://shop.example.com:8443/products?cursor=")


def test_no_link_after_the_last_page(shop: Shop) -> None:
    anyone, count = Api(), mongo.database().suppliers.count_documents({})
    assert count < 1000
    for path in (f"/suppliers?limit=100&skip={count - 100}", f"/suppliers?skip={count}", "/suppliers?skip=1000000"):
        assert "Link" not in anyone("GET", path)
    assert "Link" in anyone("GET", f"/suppliers?limit=100&skip={count - 101}")
    assert "Link" in anyone("HEAD", "/suppliers?limit=1")
    assert anyone("HEAD", "/suppliers?limit=1").content == b""


def test_the_browsable_api_has_links_as_well(shop: Shop) -> None:
    response = Api()("GET", "/products", Accept="text/html")
    assert following(response)
    assert "cursor=" in response.content.decode()


# --- Cursors ---


def test_a_changed_cursor_is_refused(shop: Shop) -> None:
    anyone = Api()
    cursor = first_cursor(anyone, "/products?limit=1")
    assert base64.urlsafe_b64encode(base64.urlsafe_b64decode(cursor)).decode() == cursor
    for place, letter in enumerate(cursor):
        letters = string.ascii_letters + string.digits + "-_"
        others = {letters[letters.index(letter) - 1], letters[(letters.index(letter) + 1) % 64], "A", "_"} - {letter}
        for other in others:
            changed = cursor[:place] + other + cursor[place + 1 :]
            assert set(refused_fields(answered(anyone("GET", f"/products?cursor={changed}"), 422))) == {"cursor"}
    answered(anyone("GET", f"/products?cursor={cursor}"), 200)


def test_what_is_no_cursor_is_refused(shop: Shop) -> None:
    for name in DOMAIN:
        caller = shop.callers["staff"]
        cursor = first_cursor(caller, f"/{name}?limit=1")
        bad = ["", "x", "%00", cursor[:-1], cursor + "A", cursor + "%3D%3D", "%20" + cursor, "A" * 48, "%ff" * 48]
        bad += ["é" * 48, "+" * 48, cursor[:-1] + "%3D", cursor[::-1], "9" * 5000, cursor.swapcase()]
        for one in bad:
            error = answered(caller("GET", f"/{name}?cursor={one}"), 422)
            assert set(refused_fields(error)) == {"cursor"}, one


def test_a_cursor_is_for_one_list_with_its_filters(shop: Shop) -> None:
    staff, supplier = shop.callers["staff"], shop.suppliers[0].id
    paths = [f"/{name}?" for name in DOMAIN]
    paths += ["/products?status=active", "/products?status=active,draft", "/products?category=beauty"]
    paths += [f"/products?supplier_id={supplier}", f"/products?supplier_id={shop.suppliers[1].id}"]
    paths += ["/orders?status=pending", f"/orders?user_id={shop.users[0].id}", f"/posts?author_id={shop.users[0].id}"]
    cursors = {path: first_cursor(staff, f"{path}&limit=1") for path in paths}
    for path, (origin, cursor) in itertools.product(paths, cursors.items()):
        response = staff("GET", f"{path}&cursor={cursor}")
        assert response.status_code == (200 if path == origin else 422), (path, origin)


def test_the_same_filters_may_be_written_in_another_way(shop: Shop) -> None:
    staff = shop.callers["staff"]
    path = f"/products?status=draft,active&supplier_id={shop.suppliers[0].id}"
    cursor, expected = first_cursor(staff, f"{path}&limit=1"), [one["id"] for one in staff.get(path)]
    same = f"/products/?supplier_id={shop.suppliers[0].id.upper()}&x=1&status=active,draft,%20active&cursor={cursor}"
    assert [one["id"] for one in staff.get(f"{same}&limit=5")] == expected[1:6]


def test_another_caller_reads_on_with_their_own_rights(shop: Shop) -> None:
    cursor = first_cursor(shop.callers["staff"], "/products?limit=1")
    shown = shop.callers["anonymous"].get(f"/products?cursor={cursor}&limit=100")
    assert len(shown) > 20
    assert {one["status"] for one in shown} <= {"active", "out_of_stock", "discontinued"}


@pytest.mark.parametrize("skip", ["0", "5", "", "x"])
def test_skip_and_cursor_together_are_refused(shop: Shop, skip: str) -> None:
    cursor = first_cursor(Api(), "/products")
    for given in (cursor, "x", ""):
        error = answered(Api()("GET", f"/products?skip={skip}&cursor={given}"), 422)
        assert set(refused_fields(error)) == {"cursor"}


def test_cursors_live_as_long_as_the_secret_key(shop: Shop, settings: Any) -> None:
    cursor, old = first_cursor(Api(), "/products"), settings.SECRET_KEY
    settings.SECRET_KEY = "another key that is long enough for every check of Django"
    assert answered(Api()("GET", f"/products?cursor={cursor}"), 422)
    settings.SECRET_KEY_FALLBACKS = ["x", old]
    assert answered(Api()("GET", f"/products?cursor={cursor}"), 200)
    assert first_cursor(Api(), "/products") != cursor


def test_moments_before_1970_are_positions_too(shop: Shop) -> None:
    mongo.database().products.update_many({}, [{"$set": {"created_at": {"$subtract": ["$created_at", 2 * 10**12]}}}])
    case = next(case for case in CASES if case.name == "products")
    assert list(itertools.chain(*pages(Api(), "/products?limit=30"))) == shop.expected(case)


# --- What a page costs ---


@contextmanager
def profiled() -> Iterator[list[Json]]:
    """Collect what MongoDB did in the block, one entry per command."""
    database, commands = mongo.database(), []
    database.drop_collection("system.profile")
    database.command("profile", 2)
    try:
        yield commands
    finally:
        database.command("profile", 0)
        found = database["system.profile"].find({"op": {"$in": ["query", "command", "getmore"]}})
        commands += [one for one in found if not {"profile", "drop"} & set(one.get("command", {}))]
        database.drop_collection("system.profile")


@pytest.fixture
def large_shop(staff: Api) -> Shop:
    return Shop(staff, 3000)


def test_a_page_reads_little_more_than_it_shows(large_shop: Shop, subtests: pytest.Subtests) -> None:
    limit = 20
    for case in CASES:
        caller, expected = large_shop.callers[case.caller], large_shop.expected(case)
        path = f"{case.path(large_shop)}&limit={limit}"
        deep = following(caller("GET", f"{path}&skip={len(expected) - 3 * limit}"))
        for which, url in (("first", path), ("deep", deep)):
            with subtests.test(case=str(case), page=which), profiled() as commands:
                shown = caller.get(url)
            [command] = [one for one in commands if one["ns"].endswith(f".{case.name}") and "sort" in one["command"]]
            assert len(shown) == limit
            # It sorts only what few there is: a plan that sorts gives nothing before it has read everything.
            assert "hasSortStage" not in command or command["keysExamined"] < 20 * limit, command["planSummary"]
            assert "COLLSCAN" not in command["planSummary"]
            # What a filter leaves out is read, too: one in twelve is left over where three filters come together.
            assert command["docsExamined"] < 20 * limit, (which, command["planSummary"])


def test_a_page_of_suppliers_is_two_commands(shop: Shop) -> None:
    with profiled() as commands:
        assert len(Api().get("/suppliers?limit=50")) == 50
    assert [one["ns"].rpartition(".")[2] for one in commands if "rate_limits" not in one["ns"]] == ["suppliers"] * 2
