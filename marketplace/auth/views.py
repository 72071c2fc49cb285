"""Logging in, staying logged in, logging out."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.limits import RateLimitedView, login_attempt
from marketplace.api.openapi.routes import may_answer
from marketplace.auth import access, accounts, refresh
from marketplace.auth.accounts import Account
from marketplace.auth.serializers import LOG_IN, REFRESH, TOKENS, LogInSerializer, RefreshSerializer, TokensSerializer
from marketplace.errors import AccountStatusError, AuthenticationError, TokenError


class AuthView(RateLimitedView):
    """A route whose body says everything about the caller."""

    authentication_classes = ()
    http_method_names = ["post"]
    serializer_class: type[LogInSerializer | RefreshSerializer]

    def validated(self, request: Request) -> dict[str, Any]:
        """Return the validated body."""
        body: dict[str, Any] = self.serializer_class().run_validation(request.data)
        return body


class TokenView(AuthView):
    serializer_class = LogInSerializer

    @extend_schema(
        summary="Log in",
        request=LogInSerializer,
        responses=TokensSerializer,
        examples=[LOG_IN, TOKENS],
    )
    @may_answer(AuthenticationError, AccountStatusError)
    def post(self, request: Request) -> Response:
        """Exchange email and password for tokens. A deleted account is refused with 403."""
        body = self.validated(request)
        with login_attempt(self, body["account"], body["email"]):
            account = accounts.log_in(body["account"], body["email"], body["password"], request._request)
        return _tokens(account, refresh.issue(account))


class RefreshView(AuthView):
    serializer_class = RefreshSerializer

    @extend_schema(
        summary="Exchange a refresh token",
        request=RefreshSerializer,
        responses=TokensSerializer,
        examples=[REFRESH, TOKENS],
    )
    @may_answer(TokenError)
    def post(self, request: Request) -> Response:
        """Stay logged in: get a new pair of tokens for a refresh token, which is used up then.

        A refresh token that is sent twice ends its whole session: one of the two senders has stolen it.
        """
        return _tokens(*refresh.rotate(self.validated(request)["refresh"]))


class RevokeView(AuthView):
    serializer_class = RefreshSerializer

    @extend_schema(summary="Log out", request=RefreshSerializer, responses={204: None}, examples=[REFRESH])
    def post(self, request: Request) -> Response:
        """End the session of a refresh token. Access tokens that it gave stay good until they expire."""
        refresh.revoke(self.validated(request)["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tokens(account: Account, refresh_token: str) -> Response:
    return Response(
        {
            "access": access.issue(account.caller),
            "refresh": refresh_token,
            "expires_in": int(access.LIFETIME.total_seconds()),
            "token_type": "Bearer",
        }
    )
