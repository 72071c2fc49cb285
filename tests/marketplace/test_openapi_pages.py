"""The OpenAPI document as it is served, and the pages that show it."""

import json
import re
from typing import Any

import pytest
import yaml
from django.test import Client

from marketplace.api.openapi.document import text
from tests.api import ANYONE, answered

pytestmark = pytest.mark.usefixtures("api")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "json"),
        ("application/yaml", "yaml"),
        ("application/json", "json"),
        ("application/vnd.oai.openapi+json", "json"),
    ],
)
def test_the_document_is_served_as_asked(accept: str, kind: str) -> None:
    response = ANYONE("GET", "/schema", Accept=accept)
    assert response.status_code == 200
    assert response.content == text(kind)
    assert (json.loads if kind == "json" else yaml.safe_load)(response.content)["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", ["/schema", "/docs", "/redoc"])
def test_errors_of_the_pages_are_in_the_envelope(path: str) -> None:
    response = ANYONE("POST", path)
    assert answered(response, 405)["code"] == "VALIDATION_ERROR"
    assert (response["Content-Type"], response["Allow"]) == ("application/json", "GET, HEAD")
    response = ANYONE("GET", path, Accept="image/png")
    assert answered(response, 406)["code"] == "VALIDATION_ERROR"
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_are_no_json(db: None, path: str) -> None:
    assert answered(ANYONE("GET", path, Accept="application/json"), 406)["code"] == "VALIDATION_ERROR"
    for accept in ("*/*", "text/html", "application/json, */*"):
        answered_page(ANYONE("GET", path, Accept=accept))


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_consist_of_files_of_this_host(db: None, path: str) -> None:
    response = ANYONE("GET", path, Accept="text/html")
    page = answered_page(response)
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 4
    for file in files:
        assert file.startswith("/static/")
        found = Client().get(file)
        assert found.status_code == 200, file
        found.close()


def answered_page(response: Any) -> str:
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    return response.content.decode()
