"""Versions in requests: `If-Match` and `version` of a write, `If-None-Match` of a read; and the ETag of an answer."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from marketplace.api.fields import WholeNumberField
from marketplace.api.serializers import Changes, DocumentSerializer
from marketplace.errors import ValidationError
from marketplace.mongo import Stored
from marketplace.policy import Expected

# https://www.rfc-editor.org/rfc/rfc9110#name-etag, and lists of them, where empty elements do not count. Each blank
# fits one place only, so that a hostile header is refused as quickly as it is read.
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(_TAG)
_LIST = re.compile(rf"[ \t]*(?:{_TAG}[ \t]*)?(?:,[ \t]*(?:{_TAG}[ \t]*)?)*")
_ANY = ["*"]


def version_field() -> WholeNumberField:
    """Return the body's optional `version`."""
    return WholeNumberField(
        required=False,
        allow_null=True,
        help_text="The version that this change is based on; another current one answers 409 VERSION_CONFLICT.",
    )


class VersionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The body of a write that takes nothing but the version."""

    example: Any = {"version": 2}

    version = version_field()


class UpdateSerializer(DocumentSerializer):
    """Base of PATCH bodies: fields as declared in Meta, and `version`."""

    version = version_field()


def expected_versions(request: Request, changes: Changes) -> Expected:
    """Take `version` out of the changes and return the versions that it and If-Match allow, None for any.

    A tag that is no version of ours matches none, and so does a weak one; a header that is no list of tags raises
    ValidationError: a client that forgot the quotes would take the conflict for somebody else's write.
    See https://www.rfc-editor.org/rfc/rfc9110#name-if-match.
    """
    accepted: set[str] | None = None
    header = request.META.get("HTTP_IF_MATCH")
    if header is not None and (tags := entity_tags(header)) != _ANY:
        if not tags:
            raise ValidationError.of("If-Match", 'Not an entity tag as "3", a list of them, or *.')
        accepted = {tag.strip('"') for tag in tags}
    version = changes.pop("version", None)
    if version is not None:
        accepted = {str(version)} if accepted is None else accepted & {str(version)}
    return None if accepted is None else frozenset(accepted)


def is_known(request: Request, stored: Stored) -> bool:
    """Whether If-None-Match names the current version, which the client then has (304).

    See https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match. A malformed header counts as none.
    """
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    tags = entity_tags(header)
    return tags == _ANY or etag(stored) in [tag.removeprefix("W/") for tag in tags]


def entity_tags(header: str) -> list[str]:
    """Return the tags of If-Match or If-None-Match with their quotes, `["*"]` for any, none of a malformed header."""
    if header.strip(" \t") == "*":
        return _ANY
    return _TAGS.findall(header) if _LIST.fullmatch(header) else []


def etag(stored: Stored) -> str:
    """Return the ETag of a single resource."""
    return f'"{stored["version"]}"'
