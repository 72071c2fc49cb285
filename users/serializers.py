"""Request bodies of users."""

from marketplace.api.fields import PasswordField
from marketplace.api.preconditions import UpdateSerializer
from marketplace.api.serializers import DocumentSerializer
from users.documents import User


class UserCreateSerializer(DocumentSerializer):
    password = PasswordField()

    class Meta:
        document = User
        fields = {
            "email": "contact_info.primary_email",
            "display_name": "profile.display_name",
            "phone": "contact_info.phone",
            "bio": "profile.bio",
        }


class UserUpdateSerializer(UpdateSerializer):
    class Meta:
        document = User
        partial = True
        fields = {
            "display_name": "profile.display_name",
            "phone": "contact_info.phone",
            "bio": "profile.bio",
            "avatar": "profile.avatar",
        }
