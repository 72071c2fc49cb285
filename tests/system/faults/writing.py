"""Writing through the API and finding out what became of it, whatever happened on the way.

An entity gets no further write before the outcome of the last one is known.
"""

from collections.abc import Callable

from tests.system.faults.calls import PASSWORD, Account, Answer, Body, Client, UnknownOutcomeError
from tests.system.faults.oracle import Oracle

PATHS = {"user": "/users", "supplier": "/suppliers", "product": "/products", "order": "/orders", "post": "/posts"}


def sign_up(client: Client, oracle: Oracle, kind: str, email: str, details: Body) -> tuple[Account, Body]:
    """Create an account and log it in. An unknown outcome is found out by trying again: the email is taken then."""
    attempts = 0

    def attempt() -> Answer:
        nonlocal attempts
        attempts += 1
        return client.call("POST", PATHS[kind], details | {"password": PASSWORD})

    answer = client.session.until_known(attempt)
    if answer.status != 201 and (attempts == 1 or answer.code != "DUPLICATE_RESOURCE"):
        client.session.complain(f"sign-up of {email} answered {answer.status}: {answer.body}")
    account = Account(client, kind, email)
    account.log_in()
    body = answer.body if answer.status == 201 else account.ask("GET", f"{PATHS[kind]}/{account.id}").body
    oracle.wrote(kind, body)
    return account, body


class Owner:
    """An account that writes its own entities, which nobody else writes."""

    def __init__(self, account: Account, oracle: Oracle) -> None:
        self.account = account
        self.oracle = oracle

    def create(self, kind: str, details: Body, find: Callable[[], Body | None]) -> Body | None:
        """Create an entity; `find` looks for it when the outcome is unknown. Return it, None if it was not created."""
        try:
            answer = self.account.call("POST", PATHS[kind], details)
        except UnknownOutcomeError:
            body = find()
        else:
            body = answer.body if self._accepted(answer, 201, f"create {kind}") else None
        if body is not None:
            self.oracle.wrote(kind, body)
        return body

    def change(self, kind: str, current: Body, changes: Body) -> Body:
        """Change an entity, and return it as it is then."""
        return self._write(kind, current, "PATCH", _path(kind, current), changes)

    def act(self, kind: str, current: Body, action: str) -> Body:
        """Send an entity through a transition, and return it as it is then."""
        return self._write(kind, current, "POST", f"{_path(kind, current)}/{action}", {})

    def delete(self, kind: str, current: Body) -> bool:
        """Delete an entity. Return whether it is deleted."""
        try:
            answer = self.account.call("DELETE", _path(kind, current), If_Match=f'"{current["version"]}"')
        except UnknownOutcomeError:
            is_gone = self._is_gone(kind, current)
        else:
            is_gone = self._accepted(answer, 204, f"delete {kind} {current['id']}")
        if is_gone:
            self.oracle.deleted(kind, current["id"])
        return is_gone

    def read(self, kind: str, identifier: str) -> Body | None:
        """Return an entity, None when there is none."""
        answer = self.account.ask("GET", f"{PATHS[kind]}/{identifier}")
        return answer.body if answer.status == 200 else None

    def _write(self, kind: str, current: Body, method: str, path: str, changes: Body) -> Body:
        version = current["version"]
        try:
            answer = self.account.call(method, path, changes, If_Match=f'"{version}"')
        except UnknownOutcomeError:
            body = self.read(kind, current["id"])
            if body is None or body["version"] not in (version, version + 1):
                self._complain(f"{kind} {current['id']}: version {version + 1} was sent, and then it is {body}")
                return current
        else:
            body = answer.body if self._accepted(answer, 200, f"{method} {path}") else current
        if body["version"] > version:
            self.oracle.wrote(kind, body)
        return body

    def _is_gone(self, kind: str, current: Body) -> bool:
        if kind == "user":  # deleted users may not log in; everything else of them is 401
            return self.account.log_in().status == 403
        return self.read(kind, current["id"]) is None

    def _accepted(self, answer: Answer, status: int, what: str) -> bool:
        if answer.status != status:
            self._complain(f"{what} answered {answer.status}: {answer.body}")
        return answer.status == status

    def _complain(self, text: str) -> None:
        self.account.client.session.complain(text)


def _path(kind: str, body: Body) -> str:
    return f"{PATHS[kind]}/{body['id']}"
