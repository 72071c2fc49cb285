"""Accounts and documents for fuzzing to find, made through the API from the examples of its OpenAPI document."""

import uuid
from collections import defaultdict
from typing import Any

import requests
from django.contrib.auth import get_user_model
from django.core.management import call_command

Json = Any
TIMEOUT_SECONDS = 30
JSON = {"Accept": "application/vnd.oai.openapi+json"}
KINDS = ("user", "supplier", "staff")
# So many of each: deletions and transitions use them up.
DOCUMENTS = 24
ACCOUNTS = 12
PASSWORD = "correct horse battery staple"  # noqa: S105  # of accounts that live as long as this run


class World:
    """A marketplace with one account of each kind, and what belongs to them.

    `words` are values that a random generator would never find, by the name of their dictionary.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._paths = requests.get(f"{url}/schema", headers=JSON, timeout=TIMEOUT_SECONDS).json()["paths"]
        self._tokens: dict[str, str] = {}
        self.words: dict[str, list[str]] = defaultdict(list)
        self.emails = {kind: f"{kind}-{uuid.uuid4()}@example.com" for kind in KINDS}
        self.ids: dict[str, str] = {}
        self._add_accounts()
        self._add_products()
        self._add_orders()
        self._add_posts()
        self._add_cursors()
        # No consumer runs, and reports shall have something to tell.
        call_command("rebuild_analytics", verbosity=0)

    def log_in(self, kind: str) -> Json:
        """Return the body that logs the account of this kind in."""
        return {"email": self.emails[kind], "password": PASSWORD, "account": kind}

    def words_for(self, kind: str) -> dict[str, list[str]]:
        """Return the words for one kind of caller: of accounts like theirs, they know their own and one other."""
        accounts = {f"{kind}s": self.words[f"{kind}s"][:2]} if kind in self.ids else {}
        return self.words | accounts

    def _add_accounts(self) -> None:
        get_user_model().objects.create_user(
            self.emails["staff"], email=self.emails["staff"], password=PASSWORD, is_staff=True
        )
        for index in range(ACCOUNTS):
            emails = {kind: f"{index}-{email}" if index else email for kind, email in self.emails.items()}
            self._create("/users", self._example("/users") | {"password": PASSWORD, "email": emails["user"]})
            supplier = self._example("/suppliers") | {"password": PASSWORD}
            supplier["contact_info"]["primary_email"] = emails["supplier"]
            self._create("/suppliers", supplier)
        self.ids = {"user": self.words["users"][0], "supplier": self.words["suppliers"][0]}
        self.words["emails"] = list(self.emails.values())
        self.words["passwords"] = [PASSWORD]
        self._tokens = {kind: self._post("/auth/token", self.log_in(kind))["access"] for kind in KINDS}
        for kind in KINDS:
            self.words["refresh"] += [self._post("/auth/token", self.log_in(kind))["refresh"] for _ in range(ACCOUNTS)]

    def _add_products(self) -> None:
        for index in range(DOCUMENTS * 2):
            product = self._example("/products")
            for stock in (*product["variants"].values(), *product["stock_locations"]):
                stock["quantity"] = 1_000_000
            found = self._create("/products", product, "supplier")
            if index % 2:
                self._post(f"/products/{found['id']}/publish", {}, "supplier")
                self.words["active"].append(found["id"])
                self.words["variants"] = list(product["variants"])

    def _add_orders(self) -> None:
        for product_id in self.words["active"]:
            order = self._example("/orders") | {"items": [{"product_id": product_id, "quantity": 1}]}
            self._create("/orders", order, "user")

    def _add_posts(self) -> None:
        for index in range(DOCUMENTS * 2):
            self._create("/posts", self._example("/posts") | {"is_draft": bool(index % 2)}, "user")

    def _add_cursors(self) -> None:
        headers = {"Authorization": f"Bearer {self._tokens['staff']}"}
        for name in ("users", "suppliers", "products", "orders", "posts"):
            answer = requests.get(f"{self._url}/{name}?limit=1", headers=headers, timeout=TIMEOUT_SECONDS)
            self.words[f"{name}-cursor"].append(answer.links["next"]["url"].rpartition("cursor=")[2])

    def _example(self, path: str) -> Json:
        """Return the example of a request body."""
        content = self._paths[path]["post"]["requestBody"]["content"]["application/json"]
        return next(iter(content["examples"].values()))["value"]

    def _create(self, path: str, body: Json, kind: str = "") -> Json:
        found = self._post(path, body, kind)
        self.words[path.strip("/")].append(found["id"])
        return found

    def _post(self, path: str, body: Json, kind: str = "") -> Json:
        headers = {"Authorization": f"Bearer {self._tokens[kind]}"} if kind else {}
        answer = requests.post(self._url + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise RuntimeError(f"POST {path} answers {answer.status_code}: {answer.text}")
        return answer.json()
