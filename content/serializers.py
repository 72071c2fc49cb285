"""Request bodies and query parameters of posts."""

from content import examples
from content.documents import Post
from marketplace.api.fields import TrueFalseField
from marketplace.api.preconditions import UpdateSerializer
from marketplace.api.queries import ListQuery, id_filter
from marketplace.api.serializers import DocumentSerializer


class PostCreateSerializer(DocumentSerializer):
    """A new post."""

    example = examples.POST_CREATE
    is_draft = TrueFalseField(required=False, allow_null=True, help_text="Leaves the post unpublished.")

    class Meta:
        document = Post
        fields = {name: name for name in ("post_type", "text_content", "media", "link_preview")}


class PostUpdateSerializer(UpdateSerializer):
    """Changes of a post; what is left out stays as it is."""

    example = examples.CHANGES

    class Meta:
        document = Post
        partial = True
        fields = {name: name for name in ("text_content", "media", "link_preview")}


class PostQuery(ListQuery):
    author_id = id_filter("Posts of this user only.")
