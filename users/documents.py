"""User documents (SPEC section 3)."""

import mongoengine as me

from marketplace.fields import EmailField, HttpUrlField
from marketplace.mongo import Document, EmbeddedDocument

DEFAULT_AVATAR = "https://cdn.example.com/avatars/default.jpg"


class UserContactInfo(EmbeddedDocument):
    """How to reach a user."""

    primary_email = EmailField(required=True, help_text="To log in with; unique among users.")
    additional_emails = me.ListField(EmailField(), max_length=10)
    phone = me.StringField(max_length=20)


class UserProfile(EmbeddedDocument):
    """What a user shows of themselves."""

    display_name = me.StringField(required=True, min_length=1, max_length=100)
    avatar = HttpUrlField(default=DEFAULT_AVATAR, help_text="The URL of a picture.")
    bio = me.StringField(max_length=500)
    date_of_birth = me.DateTimeField()


class User(Document):
    """A person who writes posts and buys."""

    contact_info = me.EmbeddedDocumentField(UserContactInfo, required=True, default=UserContactInfo)
    profile = me.EmbeddedDocumentField(UserProfile, required=True, default=UserProfile)
    password_hash = me.StringField(required=True, private=True)
    deleted_at = me.DateTimeField(help_text="Always null in answers: a deleted user is not found.")
    # When it was changed last before its deletion: the deletion's event leaves `updated_at` in analytics as it was.
    changed_at = me.DateTimeField(private=True)

    meta = {
        "collection": "users",
        "indexes": [
            {"fields": ["contact_info.primary_email"], "unique": True},
            ["created_at", "_id"],
        ],
    }
