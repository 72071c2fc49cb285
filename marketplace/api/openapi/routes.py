"""What the OpenAPI document asks of a route: method, path, callers, and what the code behind it declares."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from marketplace import policy
from marketplace.api.limits import RateLimitedView
from marketplace.callers import Kind
from marketplace.errors import AppError

F = TypeVar("F", bound=Callable[..., Any])
# The methods of a viewset that a subclass maps to its services, by action.
_PERFORMERS = {
    "list": "perform_list",
    "create": "perform_create",
    "retrieve": "perform_retrieve",
    "partial_update": "perform_update",
    "destroy": "perform_destroy",
}
_KIND_NAMES: dict[Kind, str] = {"user": "users", "supplier": "suppliers", "staff": "staff"}


def may_answer(*errors: type[AppError]) -> Callable[[F], F]:
    """Declare errors of a view's method that neither its path nor its policy tells, for the OpenAPI document."""

    def declare(function: F) -> F:
        function.errors = errors  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(frozen=True)
class Route:
    """One method of one path, and the view that answers it."""

    method: str
    path: str
    view: Any

    @property
    def name(self) -> str:
        """The route's name in the policy table."""
        return f"{self.method} {self.path}"

    @property
    def kinds(self) -> frozenset[Kind]:
        """Who may call it. Raises KeyError for a route without a policy."""
        return policy.ROUTES[self.name]

    @property
    def signs_in(self) -> bool:
        """Whether the view looks for credentials."""
        return bool(self.view.get_authenticators())

    @property
    def limited(self) -> bool:
        """Whether requests are counted."""
        return isinstance(self.view, RateLimitedView)

    @property
    def unsafe(self) -> bool:
        """Whether it writes."""
        return self.method != "GET"

    @property
    def single(self) -> bool:
        """Whether it is about one resource that the path names."""
        return "{" in self.path

    @property
    def collection(self) -> str:
        """The first part of the path."""
        return self.path.split("/")[1]

    @property
    def action(self) -> str:
        """The viewset's action, or the method's name of a plain view."""
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def handler(self) -> Any:
        """The function that a subclass writes for this route: its docstring and errors describe it."""
        return getattr(self.view, _PERFORMERS.get(self.action, self.action))

    @property
    def errors(self) -> tuple[type[AppError], ...]:
        """The errors declared by `may_answer`."""
        return getattr(self.handler, "errors", ())

    def description(self) -> str:
        """Return what the route does, from the handler's docstring, and who may call it."""
        text = inspect.cleandoc(self.handler.__doc__ or "")
        paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
        return "\n\n".join([*filter(None, paragraphs), self._callers()])

    def _callers(self) -> str:
        if "anonymous" in self.kinds:
            return "For anyone."
        if self.single and self.kinds == policy.KNOWN:
            document = policy.DOCUMENTS[self.collection]
            who = f"that {document.owner}" if document.owner_path == "_id" else f"the {document.owner} it belongs to"
            return f"For {who}, and for staff."
        return f"For {' and '.join(name for kind, name in _KIND_NAMES.items() if kind in self.kinds)}."
