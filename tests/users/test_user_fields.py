"""The field rules of users (SPEC section 3)."""

from tests.api import USER, Api, Json, new_user, unique_email
from tests.rules import UpdateRules, email, password, text, url
from users.documents import DEFAULT_AVATAR

PHONE = text(0, 20, required=False, shown="contact_info.phone")
BIO = text(0, 500, required=False, shown="profile.bio")
NAME = text(1, 100, shown="profile.display_name")


class TestUserFields(UpdateRules):
    collection = "users"
    create = {
        "email": email(shown="contact_info.primary_email"),
        "password": password(),
        "display_name": NAME,
        "phone": PHONE,
        "bio": BIO,
    }
    update = {
        "display_name": NAME,
        "phone": PHONE,
        "bio": BIO,
        "avatar": url(required=False, shown="profile.avatar", nulls=DEFAULT_AVATAR),
    }

    def body(self) -> Json:
        return USER | {"email": unique_email()}

    def existing(self) -> tuple[Api, str]:
        user = new_user()
        return user, f"/users/{user.id}"
