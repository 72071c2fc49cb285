"""Request bodies of users."""

from marketplace.api.fields import PasswordField
from marketplace.api.preconditions import UpdateSerializer
from marketplace.api.serializers import DocumentSerializer
from users import examples
from users.documents import User


class UserCreateSerializer(DocumentSerializer):
    """A new account."""

    password = PasswordField()
    example = examples.SIGN_UP

    class Meta:
        document = User
        fields = {
            "email": "contact_info.primary_email",
            "display_name": "profile.display_name",
            "phone": "contact_info.phone",
            "bio": "profile.bio",
        }


class UserUpdateSerializer(UpdateSerializer):
    """Changes of an account; what is left out stays as it is."""

    example = examples.CHANGES

    class Meta:
        document = User
        partial = True
        fields = {
            "display_name": "profile.display_name",
            "phone": "contact_info.phone",
            "bio": "profile.bio",
            "avatar": "profile.avatar",
        }
