"""The range of a dashboard: a link is a report, and what is no range gets a message and the default."""

from datetime import date

import pytest
from django.contrib.auth.models import User as Account

from analytics.dashboard_range import range_of

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("query", "start", "end", "name"),
    [
        ({}, "2026-03-04", "2026-04-01", "28d"),
        ({"range": ""}, "2026-03-04", "2026-04-01", "28d"),
        ({"range": "today"}, "2026-03-31", "2026-04-01", "today"),
        ({"range": "7d"}, "2026-03-25", "2026-04-01", "7d"),
        ({"range": "90d"}, "2026-01-01", "2026-04-01", "90d"),
        ({"range": "mtd"}, "2026-03-01", "2026-04-01", "mtd"),
        ({"start": "2026-02-01", "end": "2026-03-01"}, "2026-02-01", "2026-03-01", "custom"),
        ({"start": "2026-02-01", "end": "2026-03-01", "range": "7d"}, "2026-02-01", "2026-03-01", "custom"),
        # As in the reports of the API.
        ({"start": "2026-03-30"}, "2026-03-30", "2026-04-01", "custom"),
        ({"end": "2026-03-31"}, "2026-03-01", "2026-03-31", "custom"),
    ],
)
def test_ranges(query, start, end, name):
    found = range_of(query, TODAY)
    assert (str(found.period.start), str(found.period.end), found.name) == (start, end, name)
    assert not found.complaint


@pytest.mark.parametrize("query", ["range=7d", "start=2026-02-01&end=2026-03-01"])
def test_a_range_links_to_itself(query):
    assert range_of(dict(part.split("=") for part in query.split("&")), TODAY).query == query


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"range": "365d"}, "no range “365d”"),
        ({"range": "x" * 5000}, "no range “xxx"),
        ({"start": "31.3.2026"}, "“31.3.2026” is no date"),
        ({"start": "2026-03-01", "end": "2026-02-30"}, "“2026-02-30” is no date"),
        ({"start": "2026-03-02", "end": "2026-03-02"}, "The end must be after the start"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "The end must be after the start"),
        ({"start": "0001-01-01", "end": "0001-01-02"}, "nothing before"),
        ({"start": "2026-01-01", "end": "9999-12-31"}, "more than 3660 days"),
        ({"start": "\x00"}, "is no date"),
        ({"start": "٢٠٢٦-٠٣-٠١x"}, "is no date"),
    ],
)
@pytest.mark.django_db
def test_what_is_no_range(query, message, client):
    found = range_of(query, TODAY)
    assert message in found.complaint
    assert found.name == "28d"
    client.force_login(Account.objects.create_superuser("boss", password=None))
    answered = client.get("/admin/", query)
    assert answered.status_code == 200
    assert message in answered.content.decode()
    assert 'role="alert"' in answered.content.decode()
    assert answered.context["dashboard"].range.name == "28d"


@pytest.mark.django_db
def test_the_last_range_of_all(client):
    client.force_login(Account.objects.create_superuser("boss", password=None))
    for query in ("start=9999-12-30&end=9999-12-31", "start=1970-01-01&end=1970-01-02", "range=mtd"):
        assert client.get(f"/admin/?{query}").status_code == 200
