"""A page is a list of items, newest first: the frame that every family fills in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from typing_extensions import override

from core.types import Post
from crawlers import reach
from crawlers.contract import Cursor, Fetched, Page, Problem, Request, Spider
from crawlers.errors import CrawlError, ParseError
from crawlers.reading.answers import read

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Item]):
    """The items of one answer, before any is read."""

    items: Sequence[Item]
    announced: int | None = None  #: how many items the answer itself says that it lists
    #: What follows, if this page does not already reach the cursor; or why it cannot be asked for.
    next: Request | CrawlError | None = None
    is_sorted: bool = True  #: newest first; else reading goes on whatever the dates say


class ItemSpider(Spider, Generic[Item]):
    """Reads a list, one item after the other, down to the cursor less an overlap."""

    #: What is younger than the newest known post less this is read again in each run.
    overlap: ClassVar[timedelta] = timedelta(days=1)
    #: Else "newest first" is believed only of pages that keep it.
    is_order_sure: ClassVar[bool] = True

    @abstractmethod
    def listing(self, fetched: Fetched, text: str, config: Any) -> Listing[Item]:
        """Find the items in a decoded answer; raises as ``Spider.parse`` does."""

    @abstractmethod
    def post(self, item: Item, fetched: Fetched, config: Any) -> Post | None:
        """Read one item: ``ParseError`` without id or text, None for what is no post at all.

        One that is deleted and says nothing more is reported as gone.
        """

    def id_of(self, item: Item) -> str | None:
        """The id of an item that may be unreadable otherwise."""
        del item
        return None

    @override
    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read the items of one answer, and say whether more is wanted."""
        listing = self.listing(fetched, read(fetched), config)
        posts, problems, others = self.read_items(listing.items, fetched, config)
        is_sorted = listing.is_sorted and (self.is_order_sure or reach.is_newest_first(posts))
        is_reached = is_sorted and reach.is_reached(cursor, posts, overlap=self.overlap)
        announced, following = listing.announced, None if is_reached else listing.next
        gone = tuple(post.external_id for post in posts if post.is_deleted and not post.text)
        return Page(
            posts=tuple(post for post in posts if post.external_id not in gone),
            gone=gone,
            problems=problems,
            next=following if isinstance(following, Request) else None,
            ahead=reach.moved(ahead, posts, now=fetched.fetched_at),
            announced=None if announced is None else max(0, announced - others - len(gone)),
            dead_end=following if isinstance(following, CrawlError) else None,
        )

    def read_items(
        self, items: Sequence[Item], fetched: Fetched, config: Any
    ) -> tuple[tuple[Post, ...], tuple[Problem, ...], int]:
        """Posts, problems, and how many items are neither."""
        posts: dict[str, Post] = {}
        problems: list[Problem] = []
        others = 0
        for item in items:
            try:
                post = self.post(item, fetched, config)
            except ParseError as error:
                problems.append(
                    Problem(
                        reason=str(error),
                        url=fetched.url,
                        external_id=self.id_of(item),
                        excerpt=error.excerpt,
                    )
                )
                continue
            if post is None or post.external_id in posts:
                others += 1
            else:
                posts[post.external_id] = post
        return tuple(posts.values()), tuple(problems), others
