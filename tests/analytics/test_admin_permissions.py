"""Who may do what in the admin: anonymous, staff without permissions, an analyst, a superuser; the analyst group."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.models import User as Account
from django.test import Client
from django.urls import reverse

from analytics.models import DeadLetter, DeadLetterAction, Export
from tests.analytics.accounts import analysts
from tests.analytics.letters import good_letter

pytestmark = pytest.mark.django_db

PAGES = [model for model in admin.site._registry if model._meta.app_label == "analytics"]
OWN = {"view_dashboard", "export", "manage_dead_letters"}
# The record of exports is for whoever looks after the analysts.
SEEN = {f"view_{model._meta.model_name}" for model in PAGES if model is not Export}


def caller(kind: str) -> Client:
    """Return a client that is logged in as somebody of this kind."""
    client = Client()
    if kind == "anonymous":
        return client
    account = Account.objects.create_user(kind, is_staff=True, is_superuser=kind == "superuser")
    if kind == "analyst":
        account.groups.add(analysts())
    client.force_login(account)
    return client


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:analytics_{model._meta.model_name}_{page}", args=args)


def expected(kind: str, model: Any) -> int:
    """Return the status of a page of a table: 302 leads to the log-in."""
    if kind == "anonymous":
        return 302
    return 200 if kind == "superuser" or (kind == "analyst" and model is not Export) else 403


@pytest.mark.parametrize("kind", ["anonymous", "staff", "analyst", "superuser"])
@pytest.mark.parametrize("model", PAGES)
def test_who_sees_a_list_and_takes_it_out(kind: str, model: Any) -> None:
    client, status = caller(kind), expected(kind, model)
    shown = client.get(url(model, "changelist"))
    assert shown.status_code == status
    if status == 200:
        assert url(model, "export") in shown.content.decode()
    taken = client.get(url(model, "export"))
    assert taken.status_code == status
    if status == 200:
        assert b"".join(taken).startswith(model._meta.pk.attname.encode())
    assert Export.objects.count() == (status == 200)


@pytest.mark.parametrize("granted", [["view_order"], ["export"]])
def test_taking_out_wants_both_permissions(granted: list[str]) -> None:
    account = Account.objects.create_user("half", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=granted))
    client, order = Client(), apps.get_model("analytics", "Order")
    client.force_login(account)
    assert client.get(url(order, "export")).status_code == 403
    assert b"export/" not in client.get(url(order, "changelist")).content
    assert not Export.objects.exists()


@pytest.mark.parametrize("method", ["post", "head", "put", "delete"])
def test_an_export_is_read_only(method: str) -> None:
    order = apps.get_model("analytics", "Order")
    assert getattr(caller("superuser"), method)(url(order, "export")).status_code == 405
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("kind", "is_done"), [("anonymous", False), ("staff", False), ("analyst", True), ("superuser", True)]
)
@pytest.mark.parametrize("action", ["retry", "discard"])
def test_who_settles_dead_letters(kind: str, action: str, is_done: bool) -> None:
    letter = good_letter()
    fields = {"action": action, "_selected_action": [letter.pk], "letters": str(letter.pk), "reason": "spam"}
    response = caller(kind).post(url(DeadLetter, "changelist"), fields)
    assert response.status_code == (403 if kind == "staff" else 302)
    assert DeadLetterAction.objects.exists() is is_done
    assert (DeadLetter.objects.get().state != "open") is is_done


def granted(group: Group) -> set[str]:
    return set(group.permissions.values_list("codename", flat=True))


def test_the_group_looks_exports_and_settles_and_changes_nothing() -> None:
    assert granted(analysts()) == OWN | SEEN


def changed() -> None:
    analysts().permissions.set(Permission.objects.filter(codename="view_order"))


def emptied() -> None:
    analysts().permissions.clear()


@pytest.mark.parametrize("change", [changed, emptied])
def test_what_an_administrator_made_of_the_group_stays(change: Callable[[], None]) -> None:
    change()
    before = granted(Group.objects.get(name="analyst"))
    assert granted(analysts()) == before


def test_permissions_are_those_that_django_makes_itself() -> None:
    """On a fresh database the migration comes first: no permission may be there twice, or under another name."""
    analysts()
    theirs = Permission.objects.filter(content_type__app_label="analytics", codename__in=OWN | SEEN)
    names = dict(theirs.values_list("codename", "name"))
    assert len(names) == theirs.count() == len(OWN | SEEN)
    theirs.delete()
    Group.objects.all().delete()
    analysts()
    assert dict(theirs.values_list("codename", "name")) == names
