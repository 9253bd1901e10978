"""An invented site that lives: people write, edit and delete, and some days nobody comes.

It is drawn in four shapes that our spiders read: cards, embedded state, a feed and a search.
Everything comes from a seed, and no text of any real person is in it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)

Draw = Callable[[Sequence["Said"], str], str]

_PARTS = {
    "en": (
        "My Kavira kettle|The parcel that I ordered|Their support line|The new charger"
        "|A lamp of theirs",
        "broke after two days|never came to my house|is the best that we have had|was late again"
        "|did not work at all",
        "and nobody has answered my mail|so I will not buy it again|but they did send me the money"
        "|and I would tell you to go and see for yourself|as it was said on the box",
    ),
    "pl": (
        "Mój czajnik Kavira|Paczka, którą zamówiłem|Ich infolinia|Nowa ładowarka"
        "|Lampa z tego sklepu",
        "zepsuła się po dwóch dniach|nie dotarła do mnie do dziś|jest najlepsza, jaką mieliśmy"
        "|znowu przyszła za późno|w ogóle nie działa",
        "i nikt nie odpisał na mój list|więc już tam nic nie kupię|ale oddali mi za nią pieniądze"
        "|i radzę to sprawdzić samemu|tak jak było na pudełku",
    ),
}  # fmt: skip
_NAMES = "Ana|Ben|Celia|Dov|Ema|Filip|Gita|Hugo|Ida|Jon"


@dataclass(frozen=True, slots=True)
class Said:
    """One post as it stands now."""

    id: int
    at: datetime | None
    author: str | None
    text: str
    rating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a site is used."""

    per_day: float = 8.0
    quiet_days: float = 0.03  #: share of days on which nobody writes
    edited: float = 0.01  #: share of posts that change from one look to the next
    deleted: float = 0.002
    anonymous: float = 0.1
    language: str = "en"


class Board:
    """The posts of one site, looked at again and again."""

    def __init__(self, seed: int, habits: Habits = Habits()) -> None:
        self._seed, self.random, self.habits = seed, random.Random(seed), habits
        self.posts: list[Said] = []  #: newest first
        self.now = BEGAN
        self._next_id = self.random.randrange(1000, 9000)
        self.live(until=BEGAN + timedelta(days=20))

    def live(self, *, until: datetime) -> None:
        """Let time pass."""
        while self.now < until:
            step = min(until, self.now.replace(hour=0, minute=0) + timedelta(days=1))
            day = random.Random(f"{self._seed} {self.now.date()}")
            if day.random() >= self.habits.quiet_days:
                self._write(self.now, step)
            self.now = step
        for place, post in enumerate(self.posts[:200]):
            if self.random.random() < self.habits.edited:
                self.posts[place] = replace(post, text=f"{post.text} Edit: it was so again.")
        self.posts = [post for post in self.posts if self.random.random() >= self.habits.deleted]

    def _write(self, since: datetime, until: datetime) -> None:
        days = (until - since) / timedelta(days=1)
        written = self._poisson(self.habits.per_day * days)
        moments = sorted(since + (until - since) * self.random.random() for _ in range(written))
        for moment in moments:
            self._next_id += self.random.randrange(1, 9)
            said = self.random.random() >= self.habits.anonymous
            self.posts.insert(
                0,
                Said(
                    id=self._next_id,
                    at=moment.replace(microsecond=0),
                    author=self.random.choice(_NAMES.split("|")) if said else None,
                    text=sentence(self.random, self.habits.language),
                    rating=self.random.randrange(1, 6),
                ),
            )

    def _poisson(self, mean: float) -> int:
        count, reached = 0, self.random.expovariate(1.0)
        while reached < mean:
            count, reached = count + 1, reached + self.random.expovariate(1.0)
        return count


def sentence(draw: random.Random, language: str) -> str:
    """Two invented sentences."""
    told = [" ".join(draw.choice(part.split("|")) for part in _PARTS[language]) for _ in range(2)]
    return f"{told[0]}. {told[1]}."


def cards(posts: Sequence[Said], url: str, *, per: int = 10) -> str:
    """A page of complaint cards with a pager, as ConsumerAffairs' family has it."""
    number = int(_query(url).get("page", "1"))
    shown = posts[(number - 1) * per : number * per]
    more = f'<a rel="next" href="?page={number + 1}">Next</a>' if len(posts) > number * per else ""
    return (
        f"<html><head><title>{len(posts)} reviews of Kavira</title></head><body>"
        f'<div class="prf-rw">{"".join(map(_card, shown))}{more}</div></body></html>'
    )


def _card(post: Said) -> str:
    date = (
        f"<span class='ca-txt-cpt'>Original review: {post.at:%b %d, %Y}</span>" if post.at else ""
    )
    author = f'<span itemprop="author">{post.author}</span>' if post.author else ""
    return (
        f'<div class="rvw" data-id="{post.id}" itemprop="reviews">{author}'
        '<span itemprop="reviewRating"><meta itemprop="bestRating" content="5">'
        f'<meta itemprop="ratingValue" content="{post.rating}"></span>'
        f'<div class="rvw-bd">{date}<p>{escape(post.text)}</p></div></div>'
    )


def state(posts: Sequence[Said], url: str, *, per: int = 10, language: str = "en") -> str:
    """A page whose reviews stand in the state for its own script, as Trustpilot's family has it."""
    number = int(_query(url).get("page", "1"))
    shown = [_review(post, language) for post in posts[(number - 1) * per : number * per]]
    pager = {
        "currentPage": number, "perPage": per, "totalCount": len(posts),
        "totalPages": -(-len(posts) // per),
    }  # fmt: skip
    props = {"reviews": shown, "filters": {"pagination": pager}}
    told = json.dumps({"props": {"pageProps": props}}, ensure_ascii=False)
    return (
        "<html><head><title>Kavira reviews</title></head><body>"
        f'<script id="__NEXT_DATA__" type="application/json">{told}</script></body></html>'
    )


def _review(post: Said, language: str) -> dict[str, Any]:
    return {
        "id": str(post.id), "text": post.text, "rating": post.rating, "title": post.text[:20],
        "language": language, "dates": {"publishedDate": post.at.isoformat() if post.at else None},
        "consumer": {"displayName": post.author},
    }  # fmt: skip


def feed(posts: Sequence[Said], url: str, *, most: int = 30) -> str:
    """The newest posts as RSS."""
    del url
    items = "".join(
        f"<item><guid>{post.id}</guid><title>{escape(post.text[:30])}</title>"
        f"<description>{escape(post.text)}</description>"
        + (f"<author>{post.author}</author>" if post.author else "")
        + (f"<pubDate>{format_datetime(post.at)}</pubDate>" if post.at else "")
        + "</item>"
        for post in posts[:most]
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>B</title>{items}</channel></rss>'
    )


def search(posts: Sequence[Said], url: str) -> str:
    """The answer of a search that heeds bounds, as Hacker News' has it."""
    asked = _query(url)
    number, size = int(asked.get("page", "0")), int(asked.get("hitsPerPage", "20"))
    found = [post for post in posts if _is_asked_for(post, asked.get("numericFilters", ""))]
    hits = [_hit(post) for post in found[number * size : (number + 1) * size]]
    pages = -(-len(found) // size)
    return json.dumps({"hits": hits, "nbHits": len(found), "page": number, "nbPages": pages,
                       "hitsPerPage": size}, ensure_ascii=False)  # fmt: skip


def _is_asked_for(post: Said, bounds: str) -> bool:
    at = post.at.timestamp() if post.at else 1e12
    return all(
        at > int(bound.partition(">")[2]) if ">" in bound else at < int(bound.partition("<")[2])
        for bound in filter(None, bounds.split(","))
    )


def _hit(post: Said) -> dict[str, Any]:
    return {
        "objectID": str(post.id), "comment_text": post.text, "author": post.author, "_tags": [],
        "created_at_i": int(post.at.timestamp()) if post.at else None,
    }  # fmt: skip


def _query(url: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
