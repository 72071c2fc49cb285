"""manage.py generate_posts: posts of demo users."""

from collections.abc import Iterable

from demo import posts
from demo.command import DemoCommand
from demo.generation import Demand, Item


class Command(DemoCommand):
    help = (
        "Create posts of all types over the last 90 days, with views, likes and comments; a few are drafts, a few"
        " deleted, a few go viral. Their authors are created on the way. What exists is skipped."
    )
    what = "posts"
    default_count = 100

    def items(self, demand: Demand) -> Iterable[Item]:
        """Return the posts, oldest first."""
        return posts.items(demand)
