"""Quotients as reports give them: cents rounded half up, and fractions that are null where there is no whole."""


def per(cents: int, count: int) -> int | None:
    """Return the cents for each of `count`, rounded half up; None for a count of zero."""
    return (2 * cents + count) // (2 * count) if count else None


def ratio(part: float, whole: float) -> float | None:
    """Return which fraction of the whole the part is; None when the whole is zero."""
    return part / whole if whole else None
