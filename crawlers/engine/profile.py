"""What the posts of one run were like: counts and shares, never texts. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from core.types import Post
from crawlers.contract import Page, Promise

#: Fields whose share is remembered of every source; a promise may name more.
FIELDS: Final = ("text", "title", "author", "published_at", "language", "rating")
#: Of each text this much is looked at, and of a run so many texts.
_READ_CHARS, _READ_POSTS = 2_000, 300
_LONGEST_SHORT_WORD, _KEPT_WORDS = 4, 40
_WORD = re.compile(r"[^\W\d_]+")
# A replacement character, a control of Latin-1, UTF-8 that was read as cp1252 ("Ã©", "Å‚", "â€™"),
# or ISO 8859-2 that was ("g³os", "po¿ar").
_GARBLED = re.compile(
    "[\ufffd\x80-\x9f]|[ÂÃÄÅÆÐÑØÙ][\xa0-\xbf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€"
    "|[A-Za-z][\xb3\xb9\xbf\xbc\xbe\xb6][A-Za-z]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The sum over the pages of a run; a post that came twice counts once."""

    posts: int = 0
    repeated: int = 0  #: posts whose id had come before in the same run
    problems: int = 0
    unread: tuple[str, ...] = ()  #: short names of the pages of single posts that gave none
    announced: int = 0  #: items that pages say they list …
    announced_read: int = 0  #: … and posts and problems on those pages
    filled: Mapping[str, int] = field(default_factory=dict)  #: posts where a field says something
    ahead: int = 0  #: posts from later than the promise allows
    garbled: int = 0  #: posts with signs of a wrong charset
    languages: Mapping[str, int] = field(default_factory=dict)  #: as the site claims them
    words: Mapping[str, int] = field(default_factory=dict)  #: the most frequent short words
    word_count: int = 0  #: all short words
    lengths: tuple[int, ...] = ()
    newest: datetime | None = None
    oldest: datetime | None = None
    begins_at: datetime | None = None  #: as the page says
    first_key: str = ""  #: of the first request; pages of one key can be compared
    first_count: int = 0
    first_ids: str = ""  #: hash of the ids on the first page
    ids: frozenset[bytes] = frozenset()  #: only while the run lasts

    @property
    def length(self) -> int:
        """The median length of a text, in characters."""
        return sorted(self.lengths)[len(self.lengths) // 2] if self.lengths else 0

    def as_json(self) -> dict[str, Any]:
        """As ``crawl_run.profile`` holds it."""
        found = {
            name: getattr(self, name)
            for name in (
                "posts", "repeated", "problems", "announced", "ahead", "garbled", "word_count",
                "length", "first_key", "first_count", "first_ids",
            )
        }  # fmt: skip
        return found | {
            "filled": dict(self.filled),
            "languages": dict(self.languages),
            "words": dict(Counter(self.words).most_common(_KEPT_WORDS)),
            "newest": self.newest.isoformat() if self.newest else None,
            "oldest": self.oldest.isoformat() if self.oldest else None,
            **({"begins_at": self.begins_at.isoformat()} if self.begins_at else {}),
        }


def with_page(
    so_far: Profile, page: Page, *, promise: Promise, fetched_at: datetime, key: str
) -> Profile:
    """Add one page; ``key`` names its request."""
    known, fresh = set(so_far.ids), list[Post]()
    for post in page.posts:
        if post.external_id_hash not in known:
            known.add(post.external_id_hash)
            fresh.append(post)
    told = [post for post in fresh if not post.is_deleted]
    times = [post.published_at for post in told if post.published_at is not None]
    limit = fetched_at + promise.most_ahead
    profile = replace(
        _with_texts(so_far, told),
        posts=so_far.posts + len(told),
        repeated=so_far.repeated + len(page.posts) - len(fresh),
        problems=so_far.problems + len(page.problems),
        unread=so_far.unread + _unread(page),
        announced=so_far.announced + (page.announced or 0),
        announced_read=so_far.announced_read
        + (len(page.posts) + len(page.problems) if page.announced is not None else 0),
        filled=_filled(so_far.filled, told, (*FIELDS, *promise.filled)),
        ahead=so_far.ahead + sum(moment > limit for moment in times),
        languages=Counter(so_far.languages)
        + Counter(post.language.partition("-")[0].lower() for post in told if post.language),
        newest=max([*times, *_known(so_far.newest)], default=None),
        oldest=min([*times, *_known(so_far.oldest)], default=None),
        begins_at=max([*_known(page.begins_at), *_known(so_far.begins_at)], default=None),
        ids=frozenset(known | {_hash_of(one) for one in page.gone}),
    )
    if so_far.first_key:
        return profile
    ids = hashlib.sha256(b"".join(post.external_id_hash for post in page.posts)).hexdigest()
    return replace(profile, first_key=key_of(key), first_count=len(page.posts), first_ids=ids[:16])


def brings_nothing(page: Page, *, before: Profile, after: Profile) -> bool:
    """Whether each of several posts of a page had stood on an earlier page of the run."""
    return len(page.posts) + len(page.gone) >= 3 and before.ids == after.ids


def key_of(request: str) -> str:
    """A short name of a request."""
    return hashlib.sha256(request.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def garbled_in(posts: Iterable[Post]) -> int:
    """How many of them show signs of a wrong charset."""
    return sum(
        1 for post in posts if _GARBLED.search(f"{post.title or ''} {post.text[:_READ_CHARS]}")
    )


def moment_of(stored: object) -> datetime | None:
    """Read a time back from JSON; None for anything that is none."""
    try:
        moment = datetime.fromisoformat(str(stored))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _with_texts(so_far: Profile, told: list[Post]) -> Profile:
    read = told[: max(0, _READ_POSTS - len(so_far.lengths))]
    words = Counter(so_far.words)
    total = 0
    for post in read:
        short = [
            word
            for word in _WORD.findall(f"{post.title or ''} {post.text[:_READ_CHARS]}".lower())
            if len(word) <= _LONGEST_SHORT_WORD
        ]
        words.update(short)
        total += len(short)
    return replace(
        so_far,
        garbled=so_far.garbled + garbled_in(told),
        words=words,
        word_count=so_far.word_count + total,
        lengths=(*so_far.lengths, *(len(post.text) for post in read)),
    )


def _unread(page: Page) -> tuple[str, ...]:
    alone = page.problems if page.is_single and not page.posts else ()
    return tuple(key_of(one.external_id or one.url) for one in alone[:1])


def _filled(so_far: Mapping[str, int], told: list[Post], names: tuple[str, ...]) -> dict[str, int]:
    return {
        name: so_far.get(name, 0) + sum(_says(post, name) for post in told)
        for name in dict.fromkeys(names)
    }


def _says(post: Post, name: str) -> bool:
    """Whether a field says something; ``extra.case_status`` and ``engagement.likes`` are fields."""
    head, _, tail = name.partition(".")
    value: object = getattr(post, head, None)
    if tail:
        value = value.get(tail) if isinstance(value, Mapping) else None
        return value not in (None, "", {}, [])
    return bool(value) if isinstance(value, str | Mapping) else value is not None


def _hash_of(external_id: str) -> bytes:
    """As ``Post.external_id_hash``."""
    return hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).digest()


def _known(moment: datetime | None) -> list[datetime]:
    return [] if moment is None else [moment]
