"""The document that says what every number means: complete, and never behind the code."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from analytics.reports.catalogue import REPORTS
from analytics.reports.definitions import BEGIN, END, definitions
from analytics.reports.tiles import TILES

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "analytics.md"


def write(document: Path) -> str:
    said = StringIO()
    call_command("write_definitions", str(document), stdout=said)
    return said.getvalue()


def test_the_document_has_what_the_code_says():
    assert f"{BEGIN}\n{definitions()}\n{END}" in DOCUMENT.read_text(), "run `make definitions`"


def test_every_number_has_a_sentence():
    told = definitions()
    sentences = [(name, definition) for _, name, _, definition in TILES]
    for name, report in REPORTS.items():
        assert f"### {report.title} (`{name}`)" in told
        sentences += [(f"`{column.name}`", column.definition) for column in report.columns]
    for name, sentence in sentences:
        assert sentence.endswith("."), name
        assert "|" not in sentence, name
        assert f"| {name} | {sentence} |" in told


def test_names_and_titles_tell_reports_and_columns_apart():
    assert len({report.title for report in REPORTS.values()}) == len(REPORTS)
    for report in REPORTS.values():
        names = [column.name for column in report.columns]
        assert len(set(names)) == len(names)


def test_it_is_written_between_the_marks_only(tmp_path):
    document = tmp_path / "analytics.md"
    document.write_text(f"# Before\n{BEGIN}old\n{END}After\n")
    assert "is written" in write(document)
    assert document.read_text() == f"# Before\n{BEGIN}\n{definitions()}\n{END}After\n"
    assert "was up to date" in write(document)


@pytest.mark.parametrize("text", ["# No marks\n", BEGIN, END, END + BEGIN])
def test_a_document_without_a_place_is_left_alone(tmp_path, text):
    document = tmp_path / "analytics.md"
    document.write_text(text)
    with pytest.raises(CommandError, match="no place"):
        write(document)
    assert document.read_text() == text


def test_no_document(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        write(tmp_path / "nothing.md")
