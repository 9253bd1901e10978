"""Is what a run read what its source always gave? Against the promise, and its own past. Pure.

What breaks a promise is *drift* at once. What only differs from the past is *drift* as well, until
it has been so for seven runs: then that is how the source is now. The tests are strict, because
a false alarm costs the trust in all others: small counts have no rate, and the worst of the past
is usual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import comb
from typing import Any, Final

from core.types import RunOutcome
from crawlers.contract import Promise
from crawlers.engine.alone import Alone, look_at_single
from crawlers.engine.profile import Profile, moment_of
from crawlers.engine.verdict import Verdict

#: So many runs in a row that say the same are no exception any more.
USUAL_AFTER: Final = 7
_PROMISE_CHANCE, _PAST_CHANCE = 0.002, 1e-5
_LEAST_RUNS = 4
_LEAST_TELLING = 5  #: posts that one or two runs must have found, for their absence to tell
#: How long a source must be known, weekends and a quiet day included, before it can seem still.
_KNOWN, _BUCKET = timedelta(days=14), timedelta(days=30)


class Oddity(StrEnum):
    """What is wrong with a run that found its page."""

    UNREAD = "unread"  #: the page says that it lists more
    ALONE = "alone"  #: several pages of single posts cannot be read
    UNFILLED = "unfilled"  #: a field that always said something is empty
    AHEAD = "ahead"
    REPEATED = "repeated"
    NOTHING = "nothing"
    FEWER = "fewer"
    FROZEN = "frozen"
    OTHER_LANGUAGE = "other_language"
    GARBLED = "garbled"
    SHORTER = "shorter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is odd, in words."""

    oddity: Oddity
    reason: str
    is_promise: bool = False  #: it breaks the contract, whatever the past was like
    about: str = ""  #: the field, where it is one

    @property
    def name(self) -> str:
        """As ``profile.found`` remembers it."""
        return f"{self.oddity}:{self.about}" if self.about else self.oddity.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier run of the same source with the same params."""

    at: datetime
    is_ok: bool
    profile: Mapping[str, Any]

    def count(self, name: str) -> int:
        """A number of the profile; 0 when it has none."""
        value = self.profile.get(name)
        return value if isinstance(value, int) else 0

    def counts(self, name: str) -> Mapping[str, int]:
        """Numbers by name; empty when it has none."""
        value = self.profile.get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def has_read(self) -> bool:
        """Whether it read a page; one that was told "not modified" did not."""
        return bool(self.profile.get("first_key"))


def weigh(
    verdict: Verdict, profile: Profile, *, promise: Promise, past: Sequence[Earlier], now: datetime
) -> tuple[Verdict, dict[str, Any]]:
    """The verdict in the light of promise and past (newest first), and the profile to store."""
    alone = look_at_single(profile.unread, profile.posts, past[0].profile if past else {})
    stored = profile.as_json() | _pace(profile, past, now=now)
    stored.update(alone.stored)
    if verdict.outcome not in (RunOutcome.OK, RunOutcome.EMPTY):
        return verdict, stored
    broken = broken_promises(profile, promise) + _single(alone)
    told = {one.name for one in broken}
    others = differences(profile, stored, past, now=now)
    found = [*broken, *(one for one in others if one.name not in told)]
    stored["found"] = sorted({one.name for one in found})
    news = [one for one in found if one.is_promise or not _is_usual(one, past)]
    if not news:
        stored.update(alone.accepted)
        usual = "; taken as usual after so many runs" if found else ""
        return replace(verdict, reason=verdict.reason + usual), stored
    return (
        replace(
            verdict,
            outcome=RunOutcome.DRIFT,
            reason="; ".join(one.reason for one in news[:3]),
            is_whole=False,
            starts_over=True,
            is_suspicion=True,
        ),
        stored,
    )


def _single(alone: Alone) -> list[Finding]:
    if not alone.reason:
        return []
    is_promise = alone.is_blind
    return [Finding(oddity=Oddity.ALONE, reason=alone.reason, is_promise=is_promise)]


def spoils(garbled: int, posts: int, past: Sequence[Earlier]) -> bool:
    """Whether a page is garbled that never was: kept, it would look like an edit of every post."""
    clean = [one for one in past if one.is_ok and one.count("posts")]
    total = sum(one.count("posts") for one in clean)
    if posts < 3 or total < 15 or garbled < posts / 2:
        return False
    return max(one.count("garbled") / one.count("posts") for one in clean) < 0.1


def broken_promises(profile: Profile, promise: Promise) -> list[Finding]:
    """What the contract of the kind says of any run, the first one too."""
    found = []
    missing = profile.announced - profile.announced_read
    read_least = promise.least_share_of_announced * profile.announced
    if missing >= 3 and profile.announced_read < read_least:
        reason = (
            f"pages say that they list {profile.announced} items, {profile.announced_read} read"
        )
        found.append(_promised(Oddity.UNREAD, reason))
    for name, share in promise.filled.items():
        said = profile.filled.get(name, 0)
        is_less = said < share * profile.posts
        if is_less and _at_most(said, profile.posts, min(share, 0.98)) <= _PROMISE_CHANCE:
            reason = f"{name} says something in {said} of {profile.posts} posts only"
            found.append(_promised(Oddity.UNFILLED, reason, about=name))
    if profile.ahead >= 2 and profile.ahead > 0.2 * profile.posts:
        reason = f"{profile.ahead} of {profile.posts} posts are from the future"
        found.append(_promised(Oddity.AHEAD, reason))
    listed = profile.posts + profile.repeated
    if profile.repeated >= 3 and profile.repeated > promise.most_repeated * listed:
        reason = f"{profile.repeated} of {listed} posts came twice: pages repeat each other"
        found.append(_promised(Oddity.REPEATED, reason))
    return found


def differences(
    profile: Profile, stored: Mapping[str, Any], past: Sequence[Earlier], *, now: datetime
) -> list[Finding]:
    """What is not as it was in the healthy runs before."""
    healthy = [one for one in past if one.is_ok]
    like = [one for one in healthy if one.profile.get("first_key") == profile.first_key]
    looks: tuple[Callable[[], Finding | None], ...] = (
        lambda: _nothing(profile, like),
        lambda: _fewer(profile, like),
        lambda: _frozen(stored, now=now),
        lambda: _garbled(profile, healthy),
        lambda: _other_language(profile, healthy),
        lambda: _shorter(profile, healthy),
    )
    found = [one for look in looks if (one := look()) is not None]
    return found + _unfilled(profile, healthy)


def _nothing(profile: Profile, like: Sequence[Earlier]) -> Finding | None:
    """Empty, where the same page held posts; that it was empty before once makes it no better."""
    counts = [one.count("first_count") for one in like[:20]]
    held = [count for count in counts if count]
    is_telling = bool(held) and min(held) >= (2 if len(held) >= 3 else _LEAST_TELLING)
    is_usual = not any(counts[:USUAL_AFTER])
    if profile.first_count or profile.problems or not is_telling or is_usual:
        return None
    reason = f"no post on the page, where {len(held)} of the last runs found {_range(held)}"
    return Finding(oddity=Oddity.NOTHING, reason=reason)


def _fewer(profile: Profile, like: Sequence[Earlier]) -> Finding | None:
    """A page that shows a list whose length does not jump, as those with new posts on top do."""
    counts = [one.count("first_count") for one in like[:20]]
    if len(counts) < _LEAST_RUNS or not profile.first_count:
        return None
    low = min(counts)
    falls = [later / max(1, before) for later, before in pairwise(counts)]
    is_steady = all(fall >= 0.75 for fall in falls)
    few = 0.6 * low if is_steady else 0.3 * low
    least = 6 if is_steady else 12
    if low < least or low - profile.first_count < 4 or profile.first_count > few:
        return None
    reason = f"{profile.first_count} posts on the page, where there were {_range(counts)}"
    return Finding(oddity=Oddity.FEWER, reason=reason)


def _frozen(stored: Mapping[str, Any], *, now: datetime) -> Finding | None:
    """Nothing new for far longer than ever in a month, on a page that we could read."""
    newest, since = moment_of(stored.get("newest")), moment_of(stored.get("paced_since"))
    longest = timedelta(seconds=max(stored["longest_pause"], stored["longest_pause_before"]))
    if newest is None or since is None or not longest or stored["still"] < 2:
        return None
    lag = now - newest
    if lag < 2.5 * longest or now - since < max(_KNOWN, 2 * lag) or stored["moves"] < 10:
        return None
    reason = (
        f"the newest post is {_long(lag)} old, and never before was it more than {_long(longest)}:"
        " the page may be frozen"
    )
    return Finding(oddity=Oddity.FROZEN, reason=reason)


def _garbled(profile: Profile, healthy: Sequence[Earlier]) -> Finding | None:
    if profile.garbled < 3 or profile.garbled < 0.3 * profile.posts:
        return None
    shares = [one.count("garbled") / one.count("posts") for one in healthy if one.count("posts")]
    if shares and profile.garbled / profile.posts < 3 * max(shares):
        return None
    reason = f"{profile.garbled} of {profile.posts} texts are garbled: the charset is wrong"
    return Finding(oddity=Oddity.GARBLED, reason=reason)


def _other_language(profile: Profile, healthy: Sequence[Earlier]) -> Finding | None:
    """By what the site claims, else by the short words that every text in a language is full of."""
    claimed = Counter[str]()
    for one in healthy:
        claimed.update(one.counts("languages"))
    total = sum(profile.languages.values())
    if claimed and total >= 4 and sum(claimed.values()) >= 20:
        known = sum(count for name, count in profile.languages.items() if claimed[name])
        if known <= 0.2 * total:
            was = ", ".join(name for name, _ in claimed.most_common(3))
            now = ", ".join(name for name, _ in Counter(profile.languages).most_common(3))
            reason = f"the texts are in another language: {now}, where it was {was}"
            return Finding(oddity=Oddity.OTHER_LANGUAGE, reason=reason)
    spoken = [one for one in healthy if one.count("word_count") >= 100]
    if len(spoken) < _LEAST_RUNS or profile.word_count < 60:
        return None
    vocabulary = Counter[str]()
    for one in spoken:
        vocabulary.update(one.counts("words"))
    usual = [word for word, _ in vocabulary.most_common(30)]
    shares = [sum(one.counts("words").get(word, 0) for word in usual) / one.count("word_count")
              for one in spoken]  # fmt: skip
    share = sum(profile.words.get(word, 0) for word in usual) / profile.word_count
    if share >= 0.5 * min(shares):
        return None
    heard = ", ".join(word for word, _ in Counter(profile.words).most_common(4))
    reason = (
        f"the texts are in another language: full of {heard}, where it was {', '.join(usual[:4])}"
    )
    return Finding(oddity=Oddity.OTHER_LANGUAGE, reason=reason)


def _shorter(profile: Profile, healthy: Sequence[Earlier]) -> Finding | None:
    lengths = [one.count("length") for one in healthy if one.count("posts") >= 10]
    if len(lengths) < 6 or profile.posts < 10 or profile.length > 0.2 * min(lengths):
        return None
    usual = _range(lengths)
    reason = f"half of the texts have at most {profile.length} characters, where it was {usual}"
    return Finding(oddity=Oddity.SHORTER, reason=reason)


def _unfilled(profile: Profile, healthy: Sequence[Earlier]) -> list[Finding]:
    whole = [one for one in healthy if one.count("posts")]
    posts = sum(one.count("posts") for one in whole)
    if len(whole) < 3 or posts < 15:
        return []
    found = []
    for name, said in profile.filled.items():
        usual = sum(one.counts("filled").get(name, 0) for one in whole) / posts
        least = min(one.counts("filled").get(name, 0) / one.count("posts") for one in whole)
        if usual < 0.5 or said >= 0.5 * least * profile.posts:
            continue
        if _at_most(said, profile.posts, 0.95 * usual) > _PAST_CHANCE:
            continue
        reason = (
            f"{name} says something in {said} of {profile.posts} posts, where it was {usual:.0%}"
        )
        found.append(Finding(oddity=Oddity.UNFILLED, reason=reason, about=name))
    return found


def _pace(profile: Profile, past: Sequence[Earlier], *, now: datetime) -> dict[str, Any]:
    """How long the source has been still, and how long at most in a month or two."""
    last = past[0] if past else None
    before = last.profile if last is not None else {}
    was, newest = moment_of(before.get("newest")), profile.newest
    if was is not None and (newest is None or newest < was):
        newest = was  # a later page, or the newest post was deleted
    bucket = int(now.timestamp() // _BUCKET.total_seconds())
    pauses = [before.get("longest_pause", 0), before.get("longest_pause_before", 0)]
    if before.get("bucket", bucket) != bucket:
        pauses = [0, pauses[0]]
    has_moved = newest is not None and was is not None and newest > was
    if has_moved and was is not None and last is not None:
        pauses[0] = max(pauses[0], round((last.at - was).total_seconds()))
    return {
        "newest": newest.isoformat() if newest else None,
        "still": 0 if has_moved or was is None else before.get("still", 0) + 1,
        "moves": before.get("moves", 0) + has_moved,
        "paced_since": before.get("paced_since") or now.isoformat(),
        "longest_pause": pauses[0],
        "longest_pause_before": pauses[1],
        "bucket": bucket,
    }


def _is_usual(finding: Finding, past: Sequence[Earlier]) -> bool:
    # An unchanged page tells only that its newest post is still the newest.
    telling = [one for one in past if one.has_read or finding.oddity is Oddity.FROZEN]
    latest = telling[: USUAL_AFTER - 1]
    return len(latest) == USUAL_AFTER - 1 and all(
        finding.name in (one.profile.get("found") or ()) for one in latest
    )


def _promised(oddity: Oddity, reason: str, *, about: str = "") -> Finding:
    return Finding(oddity=oddity, reason=reason, is_promise=True, about=about)


def _at_most(successes: int, trials: int, chance: float) -> float:
    """The chance of so few successes; exact up to 300 trials, of which more say no more."""
    if trials > 300:
        successes, trials = round(successes * 300 / trials), 300
    return sum(
        comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes + 1)
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _long(lag: timedelta) -> str:
    hours = lag.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
