"""How people take to posts: each published post, and how many are in each tier."""

from collections.abc import Iterator
from itertools import chain

from django.db.models import F, Sum

from analytics.daily import LOW, TIERS, DailyPosts, tier_of
from analytics.models import Post
from analytics.reports.arithmetic import ratio
from analytics.reports.pages import pages
from analytics.reports.periods import Period
from analytics.reports.report import Column, Question, Report, Row

_INTERACTIONS = F("like_count") + F("comment_count") + F("share_count") + F("save_count")
_STORED = (
    *("post_id", "post_type", "author_user_id", "author_display_name", "published_at", "view_count", "like_count"),
    *("comment_count", "share_count", "save_count"),
)


def post_engagement(question: Question) -> Iterator[Row]:
    """Yield posts that were published in the range, the one with most interactions first."""
    since, until = question.days.moments
    posts = Post.objects.filter(published_at__gte=since, published_at__lt=until, deleted_at=None)
    best = posts.annotate(interactions=_INTERACTIONS).order_by("-interactions", "post_id")
    return chain.from_iterable(map(_page, pages(best.values_list("pk", flat=True)[: question.limit])))


def _page(ids: list[str]) -> Iterator[Row]:
    rows = {row["post_id"]: row for row in Post.objects.filter(pk__in=ids).values(*_STORED, interactions=_INTERACTIONS)}
    for row in (rows[post_id] for post_id in ids if post_id in rows):
        yield row | {
            "like_to_view_ratio": ratio(row["like_count"], row["view_count"]),
            "engagement_tier": tier_of(row["view_count"], row["like_count"]),
        }


def tiers(period: Period) -> dict[str, int]:
    """Return how many posts of the period are in each tier, the highest first, in one query."""
    rows = DailyPosts.objects.filter(day__gte=period.start, day__lt=period.end, state=DailyPosts.PUBLISHED)
    found = dict(rows.values("tier").annotate(sum=Sum("posts")).order_by().values_list("tier", "sum"))
    return {tier: found.get(tier, 0) for tier in (*dict(TIERS), LOW)}


POST_ENGAGEMENT = Report(
    "post-engagement",
    "Post engagement",
    "Posts that were published in the range and are not deleted, the one with most interactions first.",
    (
        Column("post_id", "id", "The post."),
        Column("post_type", "text", "What kind of post it is."),
        Column("author_user_id", "id", "Its author."),
        Column("author_display_name", "text", "The author's name when the post was written."),
        Column("published_at", "moment", "When it was published."),
        Column("view_count", "count", "How often it was seen."),
        Column("like_count", "count", "How often it was liked."),
        Column("comment_count", "count", "How many comments it has."),
        Column("share_count", "count", "How often it was shared."),
        Column("save_count", "count", "How often it was saved."),
        Column("interactions", "count", "Likes, comments, shares and saves together."),
        Column("like_to_view_ratio", "ratio", "Likes divided by views; null without views.", is_nullable=True),
        Column(
            "engagement_tier",
            "text",
            "By likes for views: viral from 10 %, high from 5 %, medium from 2 %, else low; low without views, too.",
        ),
    ),
    post_engagement,
    ("start", "end", "limit"),
)
