"""From the API through MongoDB, relay, Kafka and consumer to SQL: what is read there is what the API answered.

The bodies of all examples go through one run of relay and consumer; rows are read by Django and by plain SQL.
"""

import functools
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.columns import BadMessage, columns_of
from analytics.consumer import EventConsumer
from analytics.decoding import DECODERS, decode
from analytics.models import DeadLetter
from content.services import post_create
from marketplace.callers import Caller
from marketplace.events.relay import Relay
from tests.analytics.events import event, new_id, raw
from tests.analytics.values import POSTS, PRODUCTS, SHIPPING, USERS, suppliers
from tests.api import Json, new_product, new_supplier, new_user, order_body

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("api", "kafka")]

EXAMPLES = 60  # of each of the five entities
ENTITIES = {decoder.projection.entity: decoder.projection for decoder in DECODERS}


def through(group: str) -> None:
    """Run relay and consumer until everything that was written is in the tables."""
    Relay(threading.Event(), once=True).run()
    counts = EventConsumer(group).run(once=True)
    assert list(DeadLetter.objects.values_list("error", flat=True)) == []
    assert counts.gaps == 0


def at(data: Json, path: str) -> Json:
    """Return the value at a dotted path; below null is null."""
    return functools.reduce(lambda inner, name: None if inner is None else inner[name], path.split("."), data)


def answered(projection: Any, answer: Json) -> dict[str, Json]:
    """Return what the columns of an entity's row have to hold, after the API's answer."""
    besides = {f"{projection.entity}_id", "version", "event_id", "event_timestamp", *projection.totals}
    names = columns_of(projection.model).keys() - besides
    row = {name: at(answer, projection.paths.get(name, name)) for name in names}
    return row | {f"{projection.entity}_id": answer["id"], "version": answer["version"]}


def answered_children(projection: Any, answer: Json) -> dict[str, dict[str, Json]]:
    """Return what the columns of its children have to hold, by key."""
    children = projection.children
    source = answer[children.source]
    keyed = source.items() if isinstance(source, dict) else [(one[children.key], one) for one in source]
    names = columns_of(children.model).keys() - {"id", f"{projection.entity}_id", children.key}
    return {key: {name: at(one, children.paths.get(name, name)) for name in names} for key, one in keyed}


def by_django(model: Any, column: str, value: str) -> list[dict[str, Any]]:
    return list(model._default_manager.filter(**{column: value}).values(*columns_of(model)))


def by_sql(model: Any, column: str, value: str) -> list[dict[str, Any]]:
    names = list(columns_of(model))
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        columns, table = ", ".join(map(quote, names)), quote(model._meta.db_table)
        cursor.execute(f"SELECT {columns} FROM {table} WHERE {quote(column)} = %s", [value])  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_json(model: Any, row: dict[str, Any]) -> dict[str, Json]:
    """Return a row as the API would show its values."""
    kinds = {name: field.get_internal_type() for name, field in columns_of(model).items()}
    return {name: value if value is None else _as_json(kinds[name], value) for name, value in row.items()}


def _as_json(kind: str, value: Any) -> Json:
    if kind == "DateTimeField":
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.loads(value) if kind == "JSONField" and isinstance(value, str) else value


def compare(entity: str, answer: Json) -> None:
    """Read an entity's rows in both ways, and hold them against the API's answer."""
    projection = ENTITIES[entity]
    key = f"{entity}_id"
    for read in (by_django, by_sql):
        (row,) = [as_json(projection.model, row) for row in read(projection.model, key, answer["id"])]
        expected = answered(projection, answer)
        assert {name: row[name] for name in expected} == expected
        if projection.children:
            rows = [
                as_json(projection.children.model, row) for row in read(projection.children.model, key, answer["id"])
            ]
            expected = answered_children(projection, answer)
            found = {row[projection.children.key]: row for row in rows}
            assert {key: {name: found[key][name] for name in one} for key, one in expected.items()} == expected
            assert len(rows) == len(expected)


def drawn(bodies: st.SearchStrategy[Any]) -> list[Any]:
    """Return EXAMPLES generated values, the same in each run."""
    found = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(bodies)
    def collect(body: Any) -> None:
        found.append(body)

    collect()
    assert len(found) >= EXAMPLES
    return found


def written(user: Json, supplier: Json, product: Json, shipping: Json, post: Json) -> list[tuple[str, Json]]:
    """Send one body of each kind, and return the answers."""
    buyer, seller = new_user(**user), new_supplier(supplier)
    made = new_product(seller, of=product)
    lines = [{"product_id": made["id"], "variant_name": key, "quantity": 99} for key in product["variants"]]
    order = buyer.post("/orders", order_body(*lines, shipping_address=shipping), status=201)
    return [
        ("user", buyer.get(f"/users/{buyer.id}")),
        ("supplier", seller.get(f"/suppliers/{seller.id}")),
        ("product", seller.get(f"/products/{made['id']}")),
        ("order", order),
        ("post", buyer.post("/posts", post, status=201)),
    ]


def test_what_the_api_takes_is_what_sql_shows(group: str) -> None:
    bodies = drawn(st.tuples(USERS, suppliers(), PRODUCTS, SHIPPING, POSTS))
    answers = [answer for one in bodies for answer in written(*one)]
    through(group)
    for entity, answer in answers:
        compare(entity, answer)


# Around changes of the clocks in Vienna and New York, ends of years, a leap day, the end of 32 bits and of all years.
MOMENTS = [
    "1900-01-01T00:00:00.001Z",
    "1969-12-31T23:59:59.999Z",
    "2016-12-31T23:59:59.999Z",
    "2026-03-08T06:59:59.999Z",
    "2026-03-08T07:00:00.000Z",
    "2026-03-29T00:59:59.999Z",
    "2026-03-29T01:00:00.000Z",
    "2026-03-29T02:30:00.500Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-25T01:30:00.000Z",
    "2026-12-31T23:59:59.999Z",
    "2027-01-01T00:00:00.000Z",
    "2028-02-29T12:00:00.010Z",
    "2038-01-19T03:14:07.999Z",
    "2038-01-19T03:14:08.000Z",
    "9999-12-31T23:59:59.000Z",
]


def test_times(group: str) -> None:
    """Times are the server's, so services are told them here; the answers come from the API."""
    answers = []
    for text in MOMENTS:
        moment = datetime.fromisoformat(text)
        user = new_user()
        caller = Caller("user", user.id)
        post = post_create(caller=caller, changes={"post_type": "text", "text_content": "x"}, at=moment)
        answers.append(("post", user.get(f"/posts/{post['_id']}")))
        assert answers[-1][1]["published_at"] == text
    through(group)
    for entity, answer in answers:
        compare(entity, answer)


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z"])
def test_a_time_that_no_column_can_hold_is_refused(text: str) -> None:
    """A leap second, for one: it is not put off to the next second."""
    sent = event("user.created", new_id())
    sent["data"]["updated_at"] = text
    with pytest.raises(BadMessage, match="not an ISO 8601 time"):
        decode("user", sent["entity_id"].encode(), raw(sent))
