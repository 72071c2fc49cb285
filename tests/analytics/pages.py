"""Reads what the dashboard's page shows, as somebody without script finds it."""

from html.parser import HTMLParser
from typing import NamedTuple

_VOID = {"br", "canvas", "hr", "img", "input", "link", "meta", "polyline"}


class ShownRow(NamedTuple):
    """A row of a card's table: its label, where that leads, and the values that the chart is drawn from."""

    label: str
    url: str
    values: list[str]


class Page(HTMLParser):
    """The tables of a page by the id of their section, all links, and the texts of all elements that have an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: dict[str, list[ShownRow]] = {}
        self.links: list[str] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag not in _VOID:
            self._open.append((tag, given.get("id", "")))
        if tag == "a":
            self.links.append(given["href"])
        if tag == "tr" and "tbody" in dict(self._open):
            self.rows.setdefault(self._section, []).append(ShownRow("", "", []))
        if "data-value" in given:
            self.rows[self._section][-1].values.append(given["data-value"])
        if tag == "a" and "th" in dict(self._open):
            self.rows[self._section][-1] = self.rows[self._section][-1]._replace(url=given["href"])

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.texts[name] = f"{self.texts.get(name, '')} {data.strip()}".strip()
        names = dict(self._open)
        if "th" in names and "tbody" in names:
            row = self.rows[self._section][-1]
            self.rows[self._section][-1] = row._replace(label=(row.label + data).strip())

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            while self._open.pop()[0] != tag:
                pass

    @property
    def _section(self) -> str:
        return next((name for tag, name in reversed(self._open) if tag == "section"), "")
