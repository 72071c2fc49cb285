"""The field rules of posts (SPEC section 3)."""

from content.documents import MAX_MEDIA, MAX_PIXELS, MAX_SECONDS, MEDIA_TYPES, POST_TYPES
from marketplace.fields import MAX_COUNT
from tests.api import POST, Api, Json, new_user
from tests.rules import Field, UpdateRules, choice, many, nested, number, text, url, whole

TOP_LEVEL = {
    "text_content": text(1, 5000),
    "media": many(POST["media"][0], MAX_MEDIA),
    "link_preview": nested(required=False),
}


class TestPostFields(UpdateRules):
    collection = "posts"
    create = TOP_LEVEL | {
        "post_type": choice(*POST_TYPES),
        "is_draft": Field([0, 1, "true", "", [], {}], [], required=False),
        "media.0.media_type": choice(*MEDIA_TYPES),
        "media.0.media_url": url(),
        "media.0.thumbnail_url": url(required=False),
        "media.0.width": whole(0, MAX_PIXELS, required=False),
        "media.0.height": whole(0, MAX_PIXELS, required=False),
        "media.0.duration_seconds": number(0, MAX_SECONDS, required=False),
        "media.0.size_bytes": whole(0, MAX_COUNT, required=False),
        "link_preview.url": url(),
        "link_preview.title": text(1, 200),
        "link_preview.description": text(0, 500, required=False),
        "link_preview.image": url(required=False),
        "link_preview.site_name": text(0, 200, required=False),
    }
    update = TOP_LEVEL

    def caller(self) -> Api:
        return new_user()

    def body(self) -> Json:
        return POST | {"is_draft": False}
