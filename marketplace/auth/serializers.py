"""Bodies of the /auth routes, and the answer with tokens."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from marketplace.api.fields import EmailField, OneOfField, TextField
from marketplace.auth.accounts import ACCOUNT_KINDS

MAX_TOKEN_LENGTH = 200


class LogInSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Who logs in."""

    email = EmailField(max_length=254)
    password = TextField(min_length=1, max_length=128, trim_whitespace=False, write_only=True)
    account = OneOfField(choices=ACCOUNT_KINDS, component="AccountKind", default="user", allow_null=True)

    def validate_account(self, value: str | None) -> str:
        """Take null for the default, as everywhere."""
        return value or "user"


class RefreshSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A refresh token."""

    refresh = TextField(min_length=1, max_length=MAX_TOKEN_LENGTH, write_only=True)


class TokensSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A pair of tokens."""

    access = serializers.CharField(help_text="A JWT, for `Authorization: Bearer ...`.")
    refresh = serializers.CharField(help_text="Opaque. Good for one exchange; used again, it ends the whole session.")
    expires_in = serializers.IntegerField(help_text="The seconds that the access token is good for.")
    token_type = OneOfField(choices=("Bearer",), component="TokenType")


LOG_IN = OpenApiExample(
    "Request",
    {"email": "ada@example.com", "password": "correct horse", "account": "user"},
    request_only=True,
)
REFRESH = OpenApiExample("Request", {"refresh": "RiZ4...KjQ"}, request_only=True)
TOKENS = OpenApiExample(
    "Answer",
    {"access": "eyJhbGciOi...", "refresh": "RiZ4...KjQ", "expires_in": 900, "token_type": "Bearer"},
    response_only=True,
)
