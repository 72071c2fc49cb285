"""What the script says while it works, so that somebody can read later what was done and what came of it."""

import time


class Transcript:
    """Prints at once, and remembers."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lines: list[str] = []

    def step(self, title: str) -> None:
        """Begin a part of the run; its time is that since the start."""
        self._print(f"\n[{self._minutes()}] {title}")

    def command(self, command: str) -> None:
        """Show what an operator would type."""
        self._print(f"  $ {command}")

    def say(self, text: str) -> None:
        """Show what was found, in one line or several."""
        for line in text.splitlines():
            self._print(f"  {line}".rstrip())

    @property
    def text(self) -> str:
        return "\n".join(self._lines).lstrip() + "\n"

    def _minutes(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes}:{seconds:02d}"

    def _print(self, line: str) -> None:
        print(line, flush=True)
        self._lines.append(line)
