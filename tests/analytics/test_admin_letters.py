"""The admin's pages of dead letters: what they show, and the actions, with a page that asks for a reason."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.contrib.messages import get_messages
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from analytics import admin_letters
from analytics.models import DeadLetter, DeadLetterAction, User
from tests.analytics.letters import bad_letter, good_letter, letter

pytestmark = pytest.mark.django_db

LIST = reverse("admin:analytics_deadletter_changelist")


def somebody(name: str, *permissions: str) -> Client:
    account = Account.objects.create_user(name, is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def ann() -> Client:
    return somebody("ann", "view_deadletter", "manage_dead_letters")


@pytest.fixture
def viewer() -> Client:
    return somebody("viewer", "view_deadletter")


def act(client, action, *letters, **fields):
    return client.post(LIST, {"action": action, "_selected_action": [one.pk for one in letters]} | fields)


def said(response) -> list[str]:
    return [f"{message.level_tag}: {message}" for message in get_messages(response.wsgi_request)]


def shown(client, **query) -> list[int]:
    return [one.pk for one in client.get(LIST, query).context["cl"].result_list]


def states() -> set[str]:
    return set(DeadLetter.objects.values_list("state", flat=True))


def test_the_list_shows_open_letters_unless_asked_for_others(viewer):
    first, settled, last = letter(b"{}"), letter(b"{}", state="retried"), letter(b"{}", topic="product")
    assert shown(viewer) == [last.pk, first.pk]
    assert shown(viewer, state="retried") == [settled.pk]
    assert shown(viewer, state="all") == [last.pk, settled.pk, first.pk]
    assert shown(viewer, topic="product") == [last.pk]
    assert shown(viewer, q="it was") == [last.pk, first.pk]
    assert 'selected">\n' in viewer.get(LIST).content.decode()


def test_a_page_shows_values_as_text(viewer):
    found = letter(b'{"a": "<script>\xe2\x80\xae"}', key=b"\x1b<b>")
    page = viewer.get(reverse("admin:analytics_deadletter_change", args=[found.pk])).content.decode()
    assert "{\n  &quot;a&quot;: &quot;&lt;script&gt;\\u202e&quot;\n}" in page
    assert "\\x1b&lt;b&gt;" in page
    assert 'name="_save"' not in page


def test_a_long_value_is_cut(viewer, monkeypatch):
    monkeypatch.setattr(admin_letters, "SHOWN_CHARACTERS", 5)
    found = letter(b"\xff234567890")
    page = viewer.get(reverse("admin:analytics_deadletter_change", args=[found.pk])).content.decode()
    assert "\\xff2\n… and 8 characters more" in page


def test_retry_tells_what_came_of_it(ann):
    good, bad = good_letter(), bad_letter()
    response = act(ann, "retry", good, bad)
    assert response.status_code == 302
    assert said(response) == [
        "success: 1 applied",
        f"error: Letter {bad.pk} failed: JSON is malformed: invalid character (byte 0)",
    ]
    assert User.objects.count() == 1
    assert list(DeadLetterAction.objects.order_by("pk").values_list("letter", "actor", "outcome")) == [
        (good.pk, "ann", "applied"),
        (bad.pk, "ann", "failed"),
    ]
    assert list(LogEntry.objects.order_by("pk").values_list("object_id", "action_flag", "user__username")) == [
        (str(good.pk), CHANGE, "ann"),
        (str(bad.pk), CHANGE, "ann"),
    ]
    page = ann.get(reverse("admin:analytics_deadletter_change", args=[bad.pk])).content.decode()
    assert "What was done about it" in page
    assert "invalid character (byte 0)" in page


def test_many_failures_are_told_in_short(ann):
    response = act(ann, "retry", *(bad_letter() for _ in range(12)))
    assert len(said(response)) == 11
    assert said(response)[-1] == "error: 12 are not settled in all."


def test_discard_asks_for_a_reason(ann):
    one, two, other = bad_letter(), bad_letter(), bad_letter()
    page = act(ann, "discard", one, two)
    assert page.status_code == 200
    assert "This field is required" not in page.content.decode()
    assert "Discard 2 dead letters" in page.content.decode()
    for one_of_them in (one, two):
        assert (
            f"{one_of_them.topic}/{one_of_them.partition}@{one_of_them.offset}, open: it was" in page.content.decode()
        )
    assert states() == {"open"}
    ids = page.context["form"]["letters"].value()
    without = act(ann, "discard", one, letters=ids, reason="  ")
    assert "This field is required" in without.content.decode()
    assert states() == {"open"}
    response = act(ann, "discard", one, letters=ids, reason="spam")
    assert (response.status_code, said(response)) == (302, ["success: 2 discarded"])
    assert set(DeadLetter.objects.filter(state="discarded")) == {one, two}
    assert set(DeadLetterAction.objects.values_list("actor", "detail")) == {("ann", "spam")}
    assert shown(ann) == [other.pk]


def test_all_of_a_filter_at_once(ann):
    """The confirmation names the letters: one that comes in between is not discarded along."""
    for _ in range(3):
        bad_letter()
    page = act(ann, "discard", DeadLetter.objects.first(), select_across="1")
    later = bad_letter()
    ids = page.context["form"]["letters"].value()
    act(ann, "discard", DeadLetter.objects.first(), letters=ids, reason="spam")
    assert list(DeadLetter.objects.filter(state="open")) == [later]


def test_a_database_that_fails_midway_leaves_the_first_on_record(ann):
    """A lock that is not given in time, on the second letter."""
    first, second = good_letter(), good_letter()
    looks = iter(range(2))

    def busy(execute, sql, *arguments):
        if sql.startswith("SELECT") and '"dead_letters"."value"' in sql.replace("`", '"') and next(looks, None) == 1:
            raise OperationalError(1205, "Lock wait timeout exceeded")
        return execute(sql, *arguments)

    with connection.execute_wrapper(busy):
        response = act(ann, "retry", first, second)
    assert response.status_code == 302
    failed, done = said(response)
    assert done == "success: 1 applied"
    assert "Lock wait timeout" in failed
    assert LogEntry.objects.get().object_id == str(first.pk)
    assert list(DeadLetter.objects.filter(state="open")) == [second]


@pytest.mark.parametrize("ids", ["", "x", "1,", "1;2", "9" * 30, ",".join(map(str, range(1, 502)))])
def test_a_list_of_letters_that_nobody_was_shown_is_refused(ids, ann):
    found = bad_letter()
    response = act(ann, "discard", found, letters=ids, reason="spam")
    assert said(response) == ["error: No dead letters were chosen."]
    assert states() == {"open"}


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_the_permission_to_change_is_not_the_one_to_settle(action):
    found = good_letter()
    act(somebody("old hand", "view_deadletter", "change_deadletter"), action, found, letters=str(found.pk), reason="x")
    assert states() == {"open"}


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_looking_does_not_mean_settling(action, viewer):
    found = good_letter()
    act(viewer, action, found, letters=str(found.pk), reason="spam")
    assert states() == {"open"}
    assert not DeadLetterAction.objects.exists()
    assert "Retry selected" not in viewer.get(LIST).content.decode()


def test_nobody_else_sees_them(client):
    found = good_letter()
    assert somebody("clerk").get(LIST).status_code == 403
    assert act(client, "retry", found).status_code == 302
    assert states() == {"open"}
