"""Bodies of the /auth routes, and the answer with tokens."""

from rest_framework import serializers

from marketplace.api.fields import EmailField, OneOfField, TextField
from marketplace.auth.accounts import ACCOUNT_KINDS

MAX_TOKEN_LENGTH = 200


class LogInSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Who logs in."""

    email = EmailField(max_length=254)
    password = TextField(max_length=128, trim_whitespace=False, write_only=True)
    account = OneOfField(choices=ACCOUNT_KINDS, component="AccountKind", default="user", allow_null=True)

    def validate_account(self, value: str | None) -> str:
        """Take null for the default, as everywhere."""
        return value or "user"


class RefreshSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A refresh token."""

    refresh = TextField(max_length=MAX_TOKEN_LENGTH, write_only=True)


class TokensSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A pair of tokens."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True)
    token_type = serializers.ChoiceField(choices=["Bearer"], read_only=True)
