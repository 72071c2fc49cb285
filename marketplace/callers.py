"""Who is calling: the value that authentication produces and that policy and services ask."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["anonymous", "user", "supplier", "staff"]


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the API: its kind, the account's id, and a name if the account has one to log in with."""

    kind: Kind
    id: str = ""
    name: str = ""

    # What Django and DRF ask of `request.user`.
    is_active = True

    @property
    def is_authenticated(self) -> bool:
        return self.kind != "anonymous"

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    @property
    def pk(self) -> str:
        return f"{self.kind}:{self.id}"

    def get_username(self) -> str:
        return self.name or self.id or self.kind

    def __str__(self) -> str:
        return self.get_username()


ANONYMOUS = Caller("anonymous")
# The project's own commands (seeding) act with staff rights.
SYSTEM = Caller("staff", "system")


def anonymous() -> Caller:
    """Return the caller without credentials (DRF asks for a callable)."""
    return ANONYMOUS
