"""Examples of bodies and answers for the OpenAPI document. The tests send the bodies and get the answers."""

from typing import Any

_PICTURE = {
    "media_type": "image",
    "media_url": "https://img.example.com/desk.jpg",
    "thumbnail_url": None,
    "width": 640,
    "height": 480,
    "duration_seconds": None,
    "size_bytes": 81_920,
}
_LINK = {
    "url": "https://example.com/a",
    "title": "A page",
    "description": "About it",
    "image": None,
    "site_name": "Example",
}
POST_CREATE: dict[str, Any] = {
    "post_type": "image",
    "text_content": "My new desk",
    "media": [_PICTURE],
    "link_preview": _LINK,
    "is_draft": True,
}
CHANGES = {"text_content": "My new standing desk", "version": 1}
POST: dict[str, Any] = {
    "id": "65f0c0ffee0123456789ab05",
    "post_type": "image",
    "author": {
        "user_id": "65f0c0ffee0123456789ab01",
        "display_name": "Ada Lovelace",
        "avatar": "https://cdn.example.com/avatars/default.jpg",
        "author_type": "user",
    },
    "text_content": "My new desk",
    "media": [_PICTURE],
    "link_preview": _LINK,
    "stats": {
        "view_count": 0,
        "like_count": 0,
        "comment_count": 0,
        "share_count": 0,
        "save_count": 0,
        "engagement_rate": 0.0,
        "last_comment_at": None,
    },
    "published_at": None,
    "deleted_at": None,
    "version": 1,
    "created_at": "2026-05-04T08:30:00.000Z",
    "updated_at": "2026-05-04T08:30:00.000Z",
}
CHANGED = POST | {"text_content": "My new standing desk", "version": 2, "updated_at": "2026-05-05T17:00:00.000Z"}
PUBLISHED = POST | {
    "published_at": "2026-05-06T09:00:00.000Z",
    "version": 3,
    "updated_at": "2026-05-06T09:00:00.000Z",
}
