"""What the guides tell to type and to read exists: `manage.py` commands, their options, linked files and headings."""

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

ROOT = Path(settings.BASE_DIR)
GUIDES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.md")])
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"manage\.py ([a-z_]+)([^`|;&>\n#]*)")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def calls(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command that is named, with its arguments, from blocks and from within sentences."""
    for name, arguments in CALL.findall(text.replace("\\\n", " ")):
        # What a shell ends a command with, a sentence may have beside it.
        yield name, shlex.split(re.sub(r"['\"]\)?\s*$", "", arguments) if arguments.count('"') % 2 else arguments)


def parsers(parser: ArgumentParser, arguments: list[str]) -> list[ArgumentParser]:
    """Return the parser of a command, and of its subcommand among the arguments."""
    choices = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
    return [parser, *(found[one] for found in choices for one in arguments if one in found)]


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(guide: Path) -> set[str]:
    text = BLOCK.sub("", guide.read_text())
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.relative_to(ROOT)))
def test_commands_and_options_exist(guide: Path) -> None:
    known = get_commands()
    for name, arguments in calls(guide.read_text()):
        assert name in known, name
        app = known[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        found = parsers(command.create_parser("manage.py", name), arguments)
        options = {option for parser in found for option in parser._option_string_actions}
        named = {one.partition("=")[0].rstrip(".,)") for one in arguments if one.startswith("--")}
        assert named <= options, (name, named - options)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.relative_to(ROOT)))
def test_links_lead_somewhere(guide: Path) -> None:
    for path, anchor in LINK.findall(BLOCK.sub("", guide.read_text())):
        if path.startswith(("http:", "https:", "mailto:")):
            continue
        target = guide.parent / path if path else guide
        assert target.exists(), path
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{path}#{anchor}"


def test_commands_are_found_where_they_stand() -> None:
    sentence = '`manage.py dead_letters retry --all --error "unknown event type"` or'
    block = "    exec app python manage.py migrate \\\n  --no-input\n"
    assert list(calls(f"{sentence}\n{block}")) == [
        ("dead_letters", ["retry", "--all", "--error", "unknown event type"]),
        ("migrate", ["--no-input"]),
    ]
