"""Calls to the API over one connection per client, and what can become of them: answered, refused, or unknown."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
PASSWORD = "correct horse battery"
TIMEOUT_SECONDS = 30
# An API or a MongoDB that was killed is back long before.
RESOLVE_SECONDS = 120
PAUSE_SECONDS = 0.1


class UnknownOutcomeError(Exception):
    """No answer, or one that leaves open what has been done."""


@dataclass(frozen=True)
class Answer:
    """A status and the JSON with it."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body["error"]["code"]) if self.status >= 400 else ""


class Session:
    """What all clients of a run share: where the API is, and what it answered and never should.

    `abandon` ends all waiting for outcomes.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._lock = threading.Lock()
        self._complaints: list[str] = []
        self._abandoned = threading.Event()

    def complain(self, text: str) -> None:
        with self._lock:
            self._complaints.append(text)

    def take_complaints(self) -> list[str]:
        """Return the complaints since the last call."""
        with self._lock:
            texts, self._complaints = self._complaints, []
            return texts

    def abandon(self) -> None:
        self._abandoned.set()

    def until_known(self, operation: Callable[[], Answer]) -> Answer:
        """Repeat the operation until its outcome is known. Raises TimeoutError after RESOLVE_SECONDS."""
        deadline = time.monotonic() + RESOLVE_SECONDS
        while True:
            try:
                return operation()
            except UnknownOutcomeError as error:
                if self._abandoned.wait(PAUSE_SECONDS) or time.monotonic() > deadline:
                    raise TimeoutError(f"no outcome within {RESOLVE_SECONDS} s: {error}") from error


class Client:
    """Somebody's connection to the API. For one thread."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._connection = http.client.HTTPConnection("127.0.0.1", session.port, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection.close()

    def call(self, method: str, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Send a request once. Raises UnknownOutcomeError without an answer, and for one of the server's own errors."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, named | {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise UnknownOutcomeError(str(error)) from error
        answer = Answer(response.status, json.loads(raw) if raw else None)
        if answer.status >= 500:
            if answer.status != 503:
                self.session.complain(f"{method} {path} answered {answer.status}: {raw!r:.300}")
            raise UnknownOutcomeError(f"status {answer.status}")
        return answer

    def ask(self, method: str, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Repeat a request that may be repeated until it is answered. Raises TimeoutError after RESOLVE_SECONDS."""
        return self.session.until_known(lambda: self.call(method, path, body, **headers))


class Account:
    """A user or supplier who is logged in."""

    def __init__(self, client: Client, kind: str, email: str) -> None:
        self.client = client
        self.kind = kind
        self.email = email
        self.id = ""
        self._authorization = ""

    def log_in(self) -> Answer:
        """Get a token, if the account may have one."""
        answer = self.client.ask(
            "POST", "/auth/token", {"email": self.email, "password": PASSWORD, "account": self.kind}
        )
        if answer.status == 200:
            token = answer.body["access"]
            self._authorization = f"Bearer {token}"
            claims = token.split(".")[1]
            self.id = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        return answer

    def call(self, method: str, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Send a request once; an expired token was no try. Raises UnknownOutcomeError."""
        answer = self.client.call(method, path, body, Authorization=self._authorization, **headers)
        if answer.status == 401 and self.log_in().status == 200:
            answer = self.client.call(method, path, body, Authorization=self._authorization, **headers)
        return answer

    def ask(self, method: str, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Repeat a request that may be repeated until it is answered. Raises TimeoutError."""
        return self.client.session.until_known(lambda: self.call(method, path, body, **headers))
