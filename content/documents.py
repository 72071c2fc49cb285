"""Post documents (SPEC section 3)."""

import mongoengine as me

from marketplace.fields import MAX_COUNT, CounterField, HttpUrlField
from marketplace.mongo import Document, EmbeddedDocument

POST_TYPES = ("text", "image", "video", "link", "poll")
MEDIA_TYPES = ("image", "video", "gif")
AUTHOR_TYPES = ("user", "leader")
MAX_MEDIA = 10
MAX_PIXELS = 1_000_000
MAX_SECONDS = 1_000_000


class Author(EmbeddedDocument):
    """The author as they were when they wrote the post."""

    user_id = me.ObjectIdField(required=True)
    display_name = me.StringField(required=True, max_length=100)
    avatar = HttpUrlField(required=True)
    author_type = me.StringField(required=True, choices=AUTHOR_TYPES, default="user")


class Media(EmbeddedDocument):
    """A picture or film in a post."""

    media_type = me.StringField(required=True, choices=MEDIA_TYPES)
    media_url = HttpUrlField(required=True)
    thumbnail_url = HttpUrlField()
    width = me.IntField(min_value=0, max_value=MAX_PIXELS)
    height = me.IntField(min_value=0, max_value=MAX_PIXELS)
    duration_seconds = me.FloatField(min_value=0, max_value=MAX_SECONDS)
    size_bytes = me.LongField(min_value=0, max_value=MAX_COUNT)


class LinkPreview(EmbeddedDocument):
    """A page that a post links to."""

    url = HttpUrlField(required=True)
    title = me.StringField(required=True, min_length=1, max_length=200)
    description = me.StringField(max_length=500)
    image = HttpUrlField()
    site_name = me.StringField(max_length=200)


class PostStats(EmbeddedDocument):
    """What is counted about a post."""

    view_count = CounterField()
    like_count = CounterField()
    comment_count = CounterField()
    share_count = CounterField()
    save_count = CounterField()
    engagement_rate = me.FloatField(required=True, min_value=0, default=0.0, help_text="Interactions per view.")
    last_comment_at = me.DateTimeField()


class Post(Document):
    """What a user wrote."""

    post_type = me.StringField(required=True, choices=POST_TYPES)
    author = me.EmbeddedDocumentField(Author, required=True)
    text_content = me.StringField(required=True, min_length=1, max_length=5000)
    media = me.EmbeddedDocumentListField(Media, max_length=MAX_MEDIA)
    link_preview = me.EmbeddedDocumentField(LinkPreview)
    stats = me.EmbeddedDocumentField(PostStats, required=True, default=PostStats)
    published_at = me.DateTimeField(help_text="Null for a draft.")
    deleted_at = me.DateTimeField(help_text="Always null in answers: a deleted post is not found.")
    # When it was changed last before its deletion: the deletion's event leaves `updated_at` in analytics as it was.
    changed_at = me.DateTimeField(private=True)

    meta = {
        "collection": "posts",
        "indexes": [
            ["-published_at", "-_id"],
            ["author.user_id", "-published_at", "-_id"],
        ],
    }
