"""The examples of the OpenAPI document: they are valid, the API takes them, and answers as they say."""

from collections.abc import Iterator

import pytest

from tests import contract
from tests.api import ANYONE, Api, Json, answered
from tests.contract import operations
from tests.dotted import with_value

VOLATILE = {"id", "version", "created_at", "updated_at", "published_at", "cancelled_at", "order_number"}
IDS = {"supplier_id", "product_id", "user_id"}


def examples(document: Json) -> Iterator[tuple[str, str, Json, Json]]:
    """Yield where, kind, schema and value of every example of a body."""
    for name, operation in operations(document):
        bodies = {status: contract.resolved(one) for status, one in operation["responses"].items()}
        for kind, body in (bodies | {"request": operation.get("requestBody", {})}).items():
            for media in body.get("content", {}).values():
                assert media["examples"], f"{name} {kind}"
                for example in media["examples"].values():
                    yield name, kind, media["schema"], example["value"]


def test_every_body_has_an_example_that_is_valid() -> None:
    for name, kind, schema, value in examples(contract.document()):
        problems = [one.message for one in contract.compiled(schema).iter_errors(value)]
        assert problems == [], f"{name} {kind}"


def stable(body: Json) -> Json:
    """Return the body without what differs from run to run."""
    if isinstance(body, list):
        return [stable(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {key: stable(value) for key, value in body.items() if key not in VOLATILE | IDS}


def example(name: str, kind: str) -> Json:
    """Return the first example of a body of the committed document."""
    return next(value for name_, kind_, _, value in examples(contract.document()) if (name_, kind_) == (name, kind))


BODIES = [(name, status) for name, status, _, _ in examples(contract.document()) if status in ("200", "201")]
WRITES = [name for name, kind, _, _ in examples(contract.document()) if kind == "request"]
CHECKED = [name for name, _ in BODIES if name in WRITES or name.endswith("/{id}")]


class Story:
    """The accounts and resources that the examples tell of, made from the examples."""

    def __init__(self) -> None:
        self.user = Api(**self._account("users", "X-User-ID"))
        self.supplier = Api(**self._account("suppliers", "X-Supplier-ID"))

    def _account(self, collection: str, header: str) -> dict[str, str]:
        made = ANYONE.post(f"/{collection}", example(f"POST /{collection}", "request"), status=201)
        return {"id": made["id"], header: made["id"]}

    def owner(self, collection: str) -> Api:
        return self.supplier if collection in ("suppliers", "products") else self.user

    def body(self, name: str) -> Json:
        """Return the example that the route takes, with the id of a product that is there."""
        body = example(name, "request")
        if name != "POST /orders":
            return body
        product = self.supplier.post("/products", example("POST /products", "request"), status=201)
        self.supplier.post(f"/products/{product['id']}/publish")
        return with_value(body, "items.0.product_id", product["id"])

    def resource(self, name: str) -> str:
        """Return the id of a resource in the status that the route is for, of the version that its example names."""
        collection, action = name.split("/")[1], name.split("/")[-1]
        owner = self.owner(collection)
        if collection in ("users", "suppliers"):
            return owner.id
        made = owner.post(f"/{collection}", self.body(f"POST /{collection}"), status=201)
        path = f"/{collection}/{made['id']}"
        if action in ("discontinue", "mark-out-of-stock", "restore"):
            owner.post(f"{path}/publish")
        if action == "publish":
            field = {"products": "name", "posts": "text_content"}[collection]
            owner.patch(path, {field: made[field]})
        return made["id"]


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.usefixtures("api")
def test_a_route_takes_its_example_and_answers_as_its_example_says(name: str) -> None:
    status = "201" if "201" in dict(operations(contract.document()))[name]["responses"] else "200"
    collection, sign_up = name.split("/")[1], name in ("POST /users", "POST /suppliers")
    story = None if sign_up else Story()
    caller = story.owner(collection) if story else ANYONE
    if collection == "auth":
        return
    path = name.split(" ")[1].replace("{id}", story.resource(name) if story and "{id}" in name else "")
    body = story.body(name) if story and name in WRITES else example(name, "request") if sign_up else None
    found = answered(caller(name.split(" ")[0], path, body), int(status))
    assert stable(found) == stable(example(name, status))


@pytest.mark.usefixtures("api")
def test_the_auth_routes_take_their_examples() -> None:
    ANYONE.post("/users", example("POST /users", "request"), status=201)
    tokens = ANYONE.post("/auth/token", example("POST /auth/token", "request"))
    assert tokens.keys() == example("POST /auth/token", "200").keys()
    sent = example("POST /auth/refresh", "request")
    assert ANYONE.post("/auth/refresh", sent, status=400)["code"] == "INVALID_TOKEN"
    fresh = ANYONE.post("/auth/refresh", sent | {"refresh": tokens["refresh"]})
    ANYONE.post("/auth/revoke", {"refresh": fresh["refresh"]}, status=204)
    ANYONE.post("/auth/revoke", example("POST /auth/revoke", "request"), status=204)
