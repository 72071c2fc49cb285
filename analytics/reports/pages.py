"""Long answers in pages: the MySQL driver holds a whole result in memory, so rows are fetched by their keys in turn."""

from collections.abc import Iterable, Iterator
from itertools import islice

PAGE = 500


def pages(keys: Iterable[str]) -> Iterator[list[str]]:
    """Yield the different keys in their order, so many at a time as a query takes."""
    rest = iter(dict.fromkeys(keys))
    while page := list(islice(rest, PAGE)):
        yield page
