"""The demo's posts: what people write, and how far it reaches. Most reach few, a few go viral."""

import functools
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from bson import ObjectId

from content.serializers import PostCreateSerializer
from content.services import post_create, post_delete, post_publish
from demo.generation import Demand, Item, after, demo_id, draw, lognormal, moments, validated
from demo.people import People
from demo.texts import LINKS, TEXTS, TOPICS
from marketplace.mongo import transaction

Fate = Literal["published", "draft", "published later", "deleted"]
# Which of 25 posts in a row are something else than published at once.
FATES: dict[int, Fate] = {3: "published later", 7: "draft", 12: "deleted", 18: "draft"}
SEEN: tuple[Fate, ...] = ("published", "deleted")
# The types in a row: 5 of 16 are texts, 5 images, 3 videos, 2 links, 1 a poll.
TYPES = (
    *("text", "image", "video", "text", "link", "image", "text", "image"),
    *("poll", "video", "text", "image", "link", "image", "video", "text"),
)
GROWTH = 0.6  # as in orders
# How strongly regulars post more than newcomers.
ACTIVITY = 2.2
# Which of 25 posts in a row goes viral.
VIRAL = 11
# The share of views that end in a like, comment, share or save: the middle by type.
ENGAGEMENT = {"text": 0.025, "image": 0.042, "video": 0.055, "link": 0.016, "poll": 0.065}
INTERACTIONS = {"like_count": 0.74, "comment_count": 0.12, "share_count": 0.06, "save_count": 0.08}


def items(demand: Demand) -> Iterator[Item]:
    """Return the posts, oldest first."""
    people = People(demand.seed, demand.until)
    times = moments(demand, "post", growth=GROWTH)
    for number in sorted(range(demand.count), key=times.__getitem__):
        new_id = demo_id("posts", f"{demand.seed}:{number}")
        make = functools.partial(_make, demand, number, times[number], people, new_id)
        yield Item("posts", new_id, make)


def _make(demand: Demand, number: int, at: datetime, people: People, new_id: ObjectId) -> None:
    random = draw(demand.seed, "post text", number)
    author = people.somebody(random, at, skew=ACTIVITY)
    fate = FATES.get(number % 25, "published")
    changes = validated(PostCreateSerializer, _body(random, TYPES[number % len(TYPES)], new_id))
    changes |= _stats(random, changes["post_type"], number % 25 == VIRAL, at, demand.until) if fate in SEEN else {}
    later = min(at + after(random, timedelta(hours=1), timedelta(days=4)), demand.until)

    @transaction
    def write() -> None:
        is_draft = fate in ("draft", "published later")
        post_create(caller=author, changes=changes, is_draft=is_draft, at=at, new_id=new_id)
        if fate == "published later":
            post_publish(caller=author, identifier=str(new_id), at=later)
        elif fate == "deleted":
            post_delete(caller=author, identifier=str(new_id), at=later)

    write()


def _body(random: Random, post_type: str, new_id: ObjectId) -> dict[str, Any]:
    topic = random.choice(TOPICS)
    text = random.choice(TEXTS[post_type]).format(topic=topic, Topic=topic[0].upper() + topic[1:])
    body: dict[str, Any] = {"post_type": post_type, "text_content": f"{text} #{topic.replace(' ', '')}"}
    if post_type == "image":
        body["media"] = [_image(f"{new_id}-{order}") for order in range(random.choices((1, 2, 3, 4), (6, 2, 1, 1))[0])]
    elif post_type == "video":
        body["media"] = [_video(random, str(new_id))]
    elif post_type == "link":
        body["link_preview"] = random.choice(LINKS)
    return body


def _image(name: str) -> dict[str, Any]:
    url = f"https://cdn.example.com/posts/{name}"
    return {
        "media_type": "image",
        "media_url": f"{url}.jpg",
        "thumbnail_url": f"{url}-small.jpg",
        "width": 1600,
        "height": 1200,
    }


def _video(random: Random, name: str) -> dict[str, Any]:
    seconds = random.randint(6, 180)
    url = f"https://cdn.example.com/posts/{name}"
    return {
        "media_type": "video",
        "media_url": f"{url}.mp4",
        "thumbnail_url": f"{url}.jpg",
        "width": 1080,
        "height": 1920,
        "duration_seconds": seconds,
        "size_bytes": seconds * 310_000,
    }


def _stats(random: Random, post_type: str, viral: bool, at: datetime, until: datetime) -> dict[str, Any]:
    """Return a post's reach by dotted path. A fresh post has not been seen by many yet."""
    age = (until - at) / timedelta(days=1)
    views = int(lognormal(random, 12_000 if viral else 260, 1.1) * age / (age + 1)) + 1
    rate = random.uniform(0.2, 0.3) if viral else min(lognormal(random, ENGAGEMENT[post_type], 0.5), 0.3)
    counts = {name: int(views * rate * share * random.uniform(0.7, 1.3)) for name, share in INTERACTIONS.items()}
    stats: dict[str, Any] = counts | {"view_count": views, "engagement_rate": round(sum(counts.values()) / views, 4)}
    if counts["comment_count"]:
        stats["last_comment_at"] = at + (until - at) * min(random.expovariate(12), 1)
    return {f"stats.{name}": value for name, value in stats.items()}
