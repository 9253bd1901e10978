"""One page out of a list, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goodname.demo.world import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The posts of one page; pages count from 1."""

    posts: Sequence[Shown]
    number: int
    pages: int
    first: int  #: position of the first post in the whole list, from 1
    total: int

    @property
    def next(self) -> int | None:
        """The number of the next page."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the posts, for the ledger."""
        return tuple(post.id for post in self.posts)


def cut(posts: Sequence[Shown], *, number: int, size: int) -> Slice:
    """Cut page ``number`` out; past the end it is the last one, which may be empty."""
    pages = max(1, -(-len(posts) // size))
    number = min(max(number, 1), pages)
    first = (number - 1) * size
    return Slice(
        posts=posts[first : first + size],
        number=number,
        pages=pages,
        first=first + 1,
        total=len(posts),
    )


def asked_page(value: str | None) -> int:
    """The page number that a query asks for; nonsense is page 1."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else 1
