"""Raw bytes as text that is safe to show: a message may hold control characters that a terminal or page would obey."""

import json

Raw = bytes | memoryview | str | None  # what drivers give; text where somebody has written to SQLite by hand


def raw_bytes(raw: Raw) -> bytes | None:
    """Return what is stored as bytes."""
    return raw.encode() if isinstance(raw, str) else None if raw is None else bytes(raw)


def printable(text: str) -> str:
    r"""Return text on one line, with an escape (`\n`, `\x1b`, `\u202e`) for every character that is not printed."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def readable(raw: Raw) -> str:
    """Return bytes as one line of text, with escapes for what is none, and `-` for nothing at all."""
    found = raw_bytes(raw)
    return "-" if found is None else printable(found.decode("utf-8", "backslashreplace"))


def pretty(raw: Raw) -> str:
    """Return JSON with indents, anything else as `readable` does."""
    try:
        value = json.loads((raw_bytes(raw) or b"").decode())
        lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return readable(raw)
    return "\n".join(map(printable, lines))
