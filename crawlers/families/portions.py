"""A page of very many items is read in several goes, each within a second of processor time.

The page is asked for again for each go, and the cursor moves after the last, so nothing is lost
and nothing is taken to be gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from crawlers.contract import Fetched, Request
from crawlers.reading.json_body import count

Item = TypeVar("Item")

#: Items of one go: a card takes a third of a millisecond, one with much in it a whole one.
MOST: Final = 1000
#: Items of one go that the next reads again, as some may have gone from above it meanwhile.
AGAIN: Final = 20
_FROM = "from"  #: in the state of a request: the place of its first item


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion(Generic[Item]):
    """What one go reads of a page."""

    items: Sequence[Item]
    rest: Request | None  #: what asks for the next go; None with the last
    is_all: bool  #: whether the page holds no more than these


def portion(
    items: Sequence[Item], fetched: Fetched, *, asked: Request | None = None
) -> Portion[Item]:
    """The items of the go that the request was for; ``asked`` is what asks for the page.

    Without it that is the address alone.
    """
    wanted = max(0, count(fetched.state.get(_FROM)) or 0)
    begin = min(wanted, max(0, len(items) - AGAIN))
    end = begin + MOST
    state = {**fetched.state, _FROM: end - AGAIN}
    rest = replace(asked or Request(url=fetched.url), state=state)
    return Portion(
        items=items[begin:end],
        rest=rest if end < len(items) else None,
        is_all=len(items) <= MOST and not begin,
    )
