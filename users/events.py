"""What happens to users, as other systems hear of it. `data` is the user as they see themselves, without secrets."""

from marketplace.events.catalogue import EventType

USER_CREATED = EventType("user.created", "somebody signed up")
USER_UPDATED = EventType("user.updated", "a user's contact or profile data changed")
USER_DELETED = EventType("user.deleted", "a user was deleted; carries the id and the time only")
