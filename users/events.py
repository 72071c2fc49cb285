"""What happens to users, as other systems hear of it. `data` is the user as they see themselves, without secrets."""

from marketplace.events.catalogue import EventType
from users import examples

USER_CREATED = EventType("user.created", "somebody signed up", examples.USER)
USER_UPDATED = EventType("user.updated", "a user's contact or profile data changed", examples.CHANGED)
USER_DELETED = EventType("user.deleted", "a user was deleted; carries the id and the time only")
