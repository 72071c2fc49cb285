"""Admin pages of the dead letters: the open ones by default, with actions to retry or discard them.

Looking takes the permission to view dead letters, the actions take the one to manage them. What an action does is in
`dead_letters.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics import dead_letters
from analytics.admin_base import ReadOnlyAdmin, ReadOnlyInline
from analytics.admin_filters import DateRangeFilter
from analytics.bookkeeping import DeadLetter, DeadLetterAction
from analytics.dead_letters import Outcome
from analytics.readable import pretty, printable, readable
from marketplace.events.catalogue import TOPICS

SHOWN_CHARACTERS: Final = 100_000
# Letters that one click settles at most; the command has no limit.
SETTLED_AT_ONCE: Final = 500
SHOWN_FAILURES: Final = 10
ALL: Final = "all"

Letters = QuerySet[DeadLetter]


class StateFilter(admin.SimpleListFilter):
    """Open letters, until another state is asked for."""

    title = parameter_name = "state"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in (*DeadLetter.STATES, ALL)]

    def value(self) -> str:
        return super().value() or DeadLetter.OPEN

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Leave out Django's own choice of no filter: that one means open letters."""
        _, *choices = super().choices(changelist)
        yield from choices

    def queryset(self, _request: HttpRequest, letters: Letters) -> Letters:
        return letters if self.value() == ALL else letters.filter(state=self.value())


class TopicFilter(admin.SimpleListFilter):
    title = parameter_name = "topic"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [(topic, topic) for topic in TOPICS]

    def queryset(self, _request: HttpRequest, letters: Letters) -> Letters:
        return letters.filter(topic=self.value()) if self.value() else letters


class DeadLetterActionInline(ReadOnlyInline):
    """Who has done what with the letter."""

    model = DeadLetterAction
    columns = ("at", "actor", "action", "outcome", "detail")
    ordering = ("id",)
    verbose_name_plural = "what was done about it"

    def has_view_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return True  # to whoever may see the letter


class DiscardForm(forms.Form):
    """The letters that the confirmation page named, so that no others are discarded, and why they are."""

    letters = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=500, widget=forms.TextInput(attrs={"size": 80, "autofocus": True}))

    def clean_letters(self) -> list[int]:
        ids = self.cleaned_data["letters"].split(",")
        if not all(one.isdecimal() and len(one) < 19 for one in ids):
            raise forms.ValidationError("No list of ids.")
        if len(ids) > SETTLED_AT_ONCE:
            raise forms.ValidationError("Too many at once.")
        return [int(one) for one in ids]


class DeadLetterAdmin(ReadOnlyAdmin):
    columns = ("id", "state", "message", "key_text", "created_at", "error")
    list_filter = (StateFilter, TopicFilter, ("created_at", DateRangeFilter))
    search_fields = ("error",)
    search_help_text = "A part of the error"
    list_max_show_all = 100  # more check boxes than DATA_UPLOAD_MAX_NUMBER_FIELDS could not be sent
    order_column = "id"
    inlines = (DeadLetterActionInline,)
    actions = ("retry", "discard")

    def get_queryset(self, request: HttpRequest) -> Letters:
        """Leave out the raw values, which may be megabytes each; the detail page loads its own."""
        return super().get_queryset(request).defer("value")

    def get_fields(self, _request: HttpRequest, _obj: Any = None) -> list[Any]:
        place = ("cluster_id", "topic", "partition", "offset")
        return ["id", "state", *place, "created_at", "error", "key_text", "value_text"]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Tell whether somebody may use the actions: `permissions=["settle"]` asks this."""
        return request.user.has_perm("analytics.manage_dead_letters")

    @admin.display(description="message")
    def message(self, letter: DeadLetter) -> str:
        return str(letter)

    @admin.display(description="key")
    def key_text(self, letter: DeadLetter) -> str:
        return readable(letter.key)

    @admin.display(description="value")
    def value_text(self, letter: DeadLetter) -> SafeString:
        text = pretty(letter.value)
        cut = "" if len(text) <= SHOWN_CHARACTERS else f"\n… and {len(text) - SHOWN_CHARACTERS} characters more"
        return format_html('<pre class="json">{}{}</pre>', text[:SHOWN_CHARACTERS], cut)

    @admin.action(description="Retry selected dead letters", permissions=["settle"])
    def retry(self, request: HttpRequest, letters: Letters) -> None:
        ids = _chosen(letters)
        self._report(request, ids, dead_letters.retry(ids, request.user.get_username()))

    @admin.action(description="Discard selected dead letters", permissions=["settle"])
    def discard(self, request: HttpRequest, letters: Letters) -> TemplateResponse | None:
        """Ask for a reason, then discard the letters that were on that page."""
        asked = "reason" in request.POST
        form = DiscardForm(request.POST if asked else {"letters": ",".join(map(str, _chosen(letters))), "reason": ""})
        if form.is_valid():
            ids, reason = form.cleaned_data["letters"], form.cleaned_data["reason"]
            self._report(request, ids, dead_letters.discard(ids, request.user.get_username(), reason))
            return None
        if "letters" not in form.cleaned_data:
            self.message_user(request, "No dead letters were chosen.", messages.ERROR)
            return None
        ids = form.cleaned_data["letters"]
        context = self.admin_site.each_context(request) | {
            "title": f"Discard {len(ids)} dead letters",
            "opts": self.opts,
            "form": form,
            "errors": form.errors if asked else None,
            "letters": _named(ids),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "analytics/discard_dead_letters.html", context)

    def _report(self, request: HttpRequest, ids: list[int], outcomes: Iterable[Outcome]) -> None:
        """Settle the letters, write each into the admin's history, and tell what came of them."""
        settled: list[Outcome] = []
        try:
            for one in self._recorded(request, ids, outcomes):
                settled.append(one)  # noqa: PERF402  # what came before an error counts
        except (DatabaseError, InterfaceError) as error:
            failed = (
                f"The database failed: {error}. {len(ids) - len(settled)} letters are as they were, or just settled."
            )
            self.message_user(request, printable(failed), messages.ERROR)
        self._tell(request, settled)

    def _recorded(self, request: HttpRequest, ids: list[int], outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Write each outcome into the admin's history as soon as it is there."""
        letters = DeadLetter.objects.only("topic", "partition", "offset").in_bulk(ids)
        for one in outcomes:
            if one.outcome != dead_letters.SKIPPED and one.letter_id in letters:
                self.log_change(request, letters[one.letter_id], printable(str(one)))
            yield one

    def _tell(self, request: HttpRequest, settled: list[Outcome]) -> None:
        counts = Counter(one.outcome for one in settled if one.is_done)
        if counts:
            self.message_user(request, ", ".join(f"{count} {name}" for name, count in counts.items()), messages.SUCCESS)
        failures = [f"Letter {one.letter_id} {printable(str(one))}" for one in settled if not one.is_done]
        for failure in failures[:SHOWN_FAILURES]:
            self.message_user(request, failure, messages.ERROR)
        if len(failures) > SHOWN_FAILURES:
            self.message_user(request, f"{len(failures)} are not settled in all.", messages.ERROR)


def _named(ids: list[int]) -> list[DeadLetter]:
    """Return the letters without their values, in the order of the ids."""
    return list(DeadLetter.objects.filter(pk__in=ids).defer("key", "value").order_by("pk"))


def _chosen(letters: Letters) -> list[int]:
    """Return the ids of the chosen letters, oldest first."""
    return list(letters.order_by("pk").values_list("pk", flat=True)[:SETTLED_AT_ONCE])
