"""What happens to posts, as other systems hear of it. `data` is the post as its author sees it."""

from content import examples
from marketplace.events.catalogue import EventType

POST_CREATED = EventType("post.created", "a user wrote a post, published at once or as a draft", examples.POST)
POST_UPDATED = EventType("post.updated", "a post's text, media or link changed", examples.CHANGED)
POST_PUBLISHED = EventType(
    "post.published", "a draft was published; not sent for a post that is created published", examples.PUBLISHED
)
POST_DELETED = EventType("post.deleted", "a post was deleted; carries the id and the time only")
