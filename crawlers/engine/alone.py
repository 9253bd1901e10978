"""Pages of single posts that gave none: one is no matter, several without a good one are. Pure.

What a page is called is remembered from run to run: the same page, asked for again, counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: So many different ones are no accident.
SEVERAL: Final = 3
#: In ``crawl_run.profile``: pages that gave no post since the last that did, and those before it.
_SINCE, _BEFORE = "unread", "unread_before"
_REMEMBERED: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """What the pages of single posts of a run come to."""

    reason: str = ""  #: why the source seems to be broken; empty when it does not
    is_blind: bool = False  #: none could be read, in this run and those before
    stored: Mapping[str, list[str]]  #: for the profile of the run …
    accepted: Mapping[str, list[str]]  #: … where it is taken to be well


def look_at_single(unread: Sequence[str], posts: int, last: Mapping[str, Any]) -> Alone:
    """Weigh the pages that gave no post against the posts of the run and the profile of the last.

    A page that was unreadable when others could be read tells nothing when it still is.
    """
    since, before = _names(last.get(_SINCE)), _names(last.get(_BEFORE))
    fresh = [name for name in dict.fromkeys(unread) if name not in before]
    lately = list(dict.fromkeys([*since, *fresh]))
    held = {_SINCE: lately[-_REMEMBERED:], _BEFORE: before}
    if not posts:
        is_blind = bool(fresh) and len(lately) >= SEVERAL
        reason = f"none of the last {len(lately)} pages of single posts could be read"
        return Alone(
            reason=reason if is_blind else "", is_blind=is_blind, stored=held, accepted=held
        )
    settled = {_SINCE: [], _BEFORE: list(dict.fromkeys([*before, *lately]))[-_REMEMBERED:]}
    if len(fresh) < SEVERAL or len(fresh) <= posts:
        return Alone(stored=settled, accepted=settled)
    reason = f"{len(fresh)} pages of single posts could not be read, and {posts} could"
    return Alone(reason=reason, stored=held, accepted=settled)


def _names(stored: object) -> list[str]:
    is_known = isinstance(stored, Iterable) and not isinstance(stored, str | bytes)
    return [one for one in stored if isinstance(one, str)] if is_known else []  # type: ignore[attr-defined]
