"""Raw bytes as text that is safe to show: a message may hold control characters that a terminal or page would obey."""

import json

Raw = bytes | memoryview | None  # what drivers give


def printable(text: str) -> str:
    r"""Return text on one line, with an escape (`\n`, `\x1b`, `\u202e`) for every character that is not printed."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def readable(raw: Raw) -> str:
    """Return bytes as one line of text, with escapes for what is none, and `-` for nothing at all."""
    return "-" if raw is None else printable(bytes(raw).decode("utf-8", "backslashreplace"))


def pretty(raw: Raw) -> str:
    """Return JSON with indents, anything else as `readable` does."""
    try:
        value = json.loads(bytes(raw or b"").decode())
        lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return readable(raw)
    return "\n".join(map(printable, lines))
