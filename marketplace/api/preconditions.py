"""Optimistic versions: `If-Match` and `version` in the body, and the ETag of an answer."""

import re

from rest_framework import serializers
from rest_framework.request import Request

from marketplace.api.fields import WholeNumberField
from marketplace.api.serializers import Changes, DocumentSerializer
from marketplace.mongo import MAX_VERSION, Stored
from marketplace.policy import Expected

_TAG = re.compile(r'(?:W/)?"[^"]*"|[^\s,]+')


def version_field() -> WholeNumberField:
    """Return the body's optional `version`."""
    return WholeNumberField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_VERSION,
        help_text="The version that this change is based on; another current one answers 409 VERSION_CONFLICT.",
    )


class VersionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The body of a write that takes nothing but the version."""

    version = version_field()


class UpdateSerializer(DocumentSerializer):
    """Base of PATCH bodies: fields as declared in Meta, and `version`."""

    version = version_field()


def expected_versions(request: Request, changes: Changes) -> Expected:
    """Take `version` out of the changes and return the versions that it and If-Match allow, None for any.

    A tag that is no version of ours matches none. See https://www.rfc-editor.org/rfc/rfc9110#name-if-match.
    """
    accepted: set[str] | None = None
    header = request.headers.get("If-Match")
    if header is not None and header.strip() != "*":
        accepted = {tag.strip('"') for tag in _TAG.findall(header)}
    version = changes.pop("version", None)
    if version is not None:
        accepted = {str(version)} if accepted is None else accepted & {str(version)}
    return None if accepted is None else frozenset(accepted)


def etag(stored: Stored) -> str:
    """Return the ETag of a single resource."""
    return f'"{stored["version"]}"'
