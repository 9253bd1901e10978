"""XenForo 2: a thread in the standard style.

Unverified: built to the style's templates (``message_macros``, ``page_nav``); no page of a board
was recorded.
"""

from __future__ import annotations

import re

from typing_extensions import override

from crawlers.families.forum import Marks, TopicConfig, TopicSpider

_IN_PATH = re.compile(r"/page-(\d{1,6})(?:[/?#]|$)")


class XenForo(TopicSpider):
    """Posts of one thread; a place is the number of a page (``/page-2``)."""

    kind = "xenforo"
    title = "XenForo thread"
    marks = Marks(
        post='article.message--post[data-content^="post-"]',
        number=re.compile(r"^post-(\d+)$"),
        number_in="data-content",
        anchor="post-{id}",
        text=".message-body .bbWrapper",
        author=("::attr(data-author)", ".message-name"),
        date=(".message-attribution-main time::attr(datetime)", "time::attr(datetime)"),
        topic='.p-body, html[data-template="thread_view"]',
        title="h1.p-title-value",
        following="a.pageNav-jump--next",
        quoted=".bbCodeBlock--quote, .message-signature",
    )

    @override
    def address(self, config: TopicConfig, *, place: int) -> str:
        """A page by its number."""
        base = config.url.rstrip("/")
        return f"{base}/page-{place}" if place > 1 else f"{base}/"

    @override
    def place_of(self, address: str) -> int:
        """The number of the page; the first page names none."""
        in_path = _IN_PATH.search(address)
        return int(in_path[1]) if in_path else 0
