"""Posts and their tiers, against numbers that were reckoned up by hand."""

import pytest

from analytics.reports.posts import tiers
from tests.analytics.conftest import apply
from tests.analytics.reports.rows import answer, days, deleted, made, moment

pytestmark = pytest.mark.django_db
RANGE = days(10, 13)


def post(name: str, published: str | None, views: int, likes: int, others: tuple[int, int, int] = (0, 0, 0)):
    comments, shares, saves = others
    stats = {"view_count": views, "like_count": likes, "comment_count": comments, "share_count": shares}
    stats |= {"save_count": saves, "engagement_rate": 0.0, "last_comment_at": None}
    at = None if published is None else moment(published)
    return made("post", name, "10 12:00", published_at=at, stats=stats)


def test_posts_of_the_range_by_interactions(db):
    apply(
        post("before", "09T23:59:59.999999Z", 10, 10),
        post("first", "10T00:00:00Z", 200, 10, (1, 2, 3)),
        post("last", "12T23:59:59.999999Z", 0, 20),
        post("tie b", "11 12:00", 100, 1, (1, 1, 0)),
        post("tie a", "11 13:00", 100, 0, (3, 0, 0)),
        post("after", "13T00:00:00Z", 10, 10),
        post("draft", None, 10, 10),
        post("deleted", "11 12:00", 10, 10),
    )
    apply(deleted("post", "deleted"))
    found = answer("post-engagement", RANGE)
    assert [
        (row["post_id"], row["interactions"], row["like_to_view_ratio"], row["engagement_tier"]) for row in found
    ] == [
        ("last", 20, None, "low"),
        ("first", 16, 0.05, "high"),
        ("tie a", 3, 0.0, "low"),
        ("tie b", 3, 0.01, "low"),
    ]
    assert [found[1][name] for name in ("view_count", "like_count", "comment_count", "share_count", "save_count")] == [
        200, 10, 1, 2, 3
    ]  # fmt: skip
    assert tiers(RANGE) == {"viral": 0, "high": 1, "medium": 0, "low": 3}


@pytest.mark.parametrize(
    ("views", "likes", "tier"),
    [
        (70, 7, "viral"),  # less than a tenth in floats
        (1000, 100, "viral"),
        (1000, 99, "high"),
        (1000, 50, "high"),
        (1000, 49, "medium"),
        (1000, 20, "medium"),
        (1000, 19, "low"),
        (1000, 0, "low"),
        (0, 0, "low"),
        (0, 5, "low"),
        (1, 5, "viral"),
    ],
)
def test_tiers_at_their_bounds(db, views, likes, tier):
    apply(post("one", "11 12:00", views, likes))
    assert answer("post-engagement", RANGE)[0]["engagement_tier"] == tier
    assert {name for name, posts in tiers(RANGE).items() if posts} == {tier}


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_up_to_a_limit(db, monkeypatch, limit):
    monkeypatch.setattr("analytics.reports.pages.PAGE", 2)
    apply(*(post(f"post {number}", "11 12:00", 10, 9 - number) for number in range(5)))
    found = [row["post_id"] for row in answer("post-engagement", RANGE, limit=limit)]
    assert found == [f"post {number}" for number in range(limit)]
