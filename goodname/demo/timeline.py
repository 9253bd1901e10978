"""Which text appears when and where: a pure function of the texts and the seed."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from goodname.demo.posts import About, Pool, Role, Site, Text

STANDING = 24  #: how many posts are there before anybody watches
MOST_COMPLAINTS_STANDING = 5
FIRST_ORDINARY_AT = 12.0
GAP_SECONDS = (5.0, 9.0)

_OPEN_TO_ALL = (Site.BOARD, Site.REVIEWS, Site.FORUM, Site.SOCIAL)
_STANDING_LEVELS = {None, "none", "low", "medium"}
_STARS = {"none": (4, 5), "low": (3,), "medium": (2,), "high": (1,), "critical": (1,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One text on one site, with the seconds at which it comes, changes and goes."""

    site: Site
    external_id: str
    text: Text
    at: float  #: seconds after the start; negative for posts that were there before
    author: str
    town: str
    rating: int
    story_id: str | None = None  #: on the social site: the story that this one comments on

    @property
    def edited_at(self) -> float | None:
        """When it becomes another text, in seconds after the start."""
        return self.text.edited.at if self.text.edited else None

    @property
    def deleted_at(self) -> float | None:
        """When it goes, in seconds after the start."""
        return self.text.deleted_at

    @property
    def reply_at(self) -> float | None:
        """When the firm answers in public, in seconds after the start."""
        if self.text.reply is None:
            return None
        return self.at + (900 if self.at < 0 else 20)

    @property
    def moments(self) -> tuple[float, ...]:
        """When it comes, changes and goes, as far as it does, in seconds after the start."""
        steps = (step.at for step in self.text.case)
        found = (self.at, self.edited_at, self.reply_at, self.deleted_at, *steps)
        return tuple(moment for moment in found if moment is not None)


def plan(pool: Pool, *, seed: int) -> tuple[Entry, ...]:
    """Lay the texts out in time and over the sites; the same seed gives the same world."""
    rng = random.Random(seed)  # noqa: S311 - a shuffle, not a secret
    shuffled = sorted(pool.ordinary, key=lambda text: text.key)
    rng.shuffle(shuffled)
    placed = [*_scripted(pool.script), *_spread(shuffled, rng)]
    placed.sort(key=lambda one: one[0])
    signed = _signed(placed, pool, rng)
    return tuple(_threaded(_numbered(signed, seed)))


_Placed = tuple[float, Site, Text]


def _scripted(script: Iterable[Text]) -> Iterator[_Placed]:
    for text in script:
        if text.at is not None and text.site is not None:
            yield text.at, text.site, text


def _spread(shuffled: Sequence[Text], rng: random.Random) -> Iterator[_Placed]:
    """Put some texts into the past, the others one by one into the minutes to come."""
    standing = _mild(shuffled)
    keys = {text.key for text in standing}
    told: Counter[tuple[str, Site]] = Counter()
    at = 0.0
    for text in standing:
        at -= rng.uniform(3600, 8 * 3600)
        yield at, _place(text, rng, told), text
    at = FIRST_ORDINARY_AT
    for text in shuffled:
        if text.key not in keys:
            yield at, _place(text, rng, told), text
            at += rng.uniform(*GAP_SECONDS)


def _mild(shuffled: Sequence[Text]) -> list[Text]:
    """The posts that stand there at the start: at most a third of all, few complaints."""
    room = min(STANDING, len(shuffled) // 3)
    complaints = 0
    chosen: list[Text] = []
    for text in shuffled:
        if len(chosen) == room:
            break
        if text.severity not in _STANDING_LEVELS:
            continue
        if text.severity == "medium":
            if complaints == MOST_COMPLAINTS_STANDING:
                continue
            complaints += 1
        chosen.append(text)
    return chosen


def _place(text: Text, rng: random.Random, told: Counter[tuple[str, Site]]) -> Site:
    """Draw one of the sites that suit ``text`` and have heard least in its language so far."""
    suitable = _suitable(text)
    least = min(told[text.lang, site] for site in suitable)
    site = rng.choice([site for site in suitable if told[text.lang, site] == least])
    told[text.lang, site] += 1
    return site


def _suitable(text: Text) -> tuple[Site, ...]:
    if text.site is not None:
        return (text.site,)
    if text.about in (About.RIVAL, About.NONE):
        return (Site.FORUM,)
    # A labelled text without stars is talk (a question, news, a threat), not a review.
    if text.rating is None and text.severity is not None:
        return (Site.FORUM, Site.SOCIAL)
    return _OPEN_TO_ALL


def _signed(placed: Iterable[_Placed], pool: Pool, rng: random.Random) -> Iterator[Entry]:
    for at, site, text in placed:
        known = pool.authors.get(text.lang) or pool.authors["en"]
        fitting = [name for voice in known if text.voice in (None, voice) for name in known[voice]]
        author, _, town = (text.author or rng.choice(fitting)).partition("|")
        stars = text.rating or rng.choice(_STARS.get(text.severity or "", (1, 2, 3, 4, 5)))
        yield Entry(
            site=site, external_id="", text=text, at=at, author=author, town=town, rating=stars
        )


def _numbered(entries: Iterable[Entry], seed: int) -> Iterator[Entry]:
    """Give ids as the sites do: rising numbers, on the review site 24 hexadecimal digits."""
    rng = random.Random(f"ids {seed}")  # noqa: S311
    last = {site: rng.randrange(1_000_000, 9_000_000) for site in Site}
    for entry in entries:
        last[entry.site] += rng.randrange(1, 40)
        number = str(last[entry.site])
        if entry.site is Site.REVIEWS:
            number = hashlib.sha256(f"{seed} {entry.text.key}".encode()).hexdigest()[:24]
        yield replace(entry, external_id=number)


def _threaded(entries: Iterable[Entry]) -> Iterator[Entry]:
    """On the social site a text with a title is a story, one without comments on the thread.

    The thread is the one that the script opens, else the first story there is.
    """
    thread: str | None = None
    for entry in entries:
        if entry.site is not Site.SOCIAL:
            yield entry
        elif thread is None or entry.text.role is Role.THREAD:
            thread = entry.external_id
            yield entry
        elif entry.text.title or entry.text.role is not Role.ORDINARY:
            yield entry
        else:
            yield replace(entry, story_id=thread)
