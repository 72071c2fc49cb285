"""Staff accounts: Django's users with `is_staff`, who log in by email here and by name in the admin."""

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from marketplace.callers import Caller

StaffUser = AbstractUser


def caller(user: StaffUser) -> Caller:
    """Return the caller that a staff account is."""
    return Caller("staff", str(user.pk), user.get_username())


def by_id(identifier: str) -> StaffUser | None:
    """Return the staff account with this primary key, a suspended one too."""
    found: StaffUser | None = get_user_model()._default_manager.filter(pk=identifier, is_staff=True).first()
    return found


def log_in(email: str, password: str, request: HttpRequest) -> StaffUser | None:
    """Return the active staff account with this email and password, by Django's authentication backends.

    An email that several accounts share names none of them.
    """
    names = get_user_model()._default_manager.filter(email__iexact=email, is_staff=True).values_list("username")[:2]
    # Django spends the same time on a name that nobody has.
    username = names[0][0] if len(names) == 1 else email
    found = authenticate(request, username=username, password=password)
    return found if isinstance(found, StaffUser) and found.is_staff else None
