"""What the bench finds: something lost, done twice, or otherwise not as it was acknowledged."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind.upper()}: {self.text}"
