"""DRF's permission class over the policy table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

from marketplace import policy
from marketplace.api.authentication import caller_of

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.request import Request
    from rest_framework.views import APIView


class RoutePolicy(BasePermission):
    """Lets a caller through whose kind the policy names for the route. Documents are checked by the services."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method not in view.allowed_methods:
            return True  # DRF answers 405
        match = request._request.resolver_match
        return match is not None and policy.may_call(caller_of(request), request.method or "", match.route)
