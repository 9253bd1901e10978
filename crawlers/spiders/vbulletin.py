"""vBulletin 4: a thread in the standard style.

Unverified: built to the style's templates (``postbit_legacy`` and ``SHOWTHREAD``); no page of a
board was recorded.
"""

from __future__ import annotations

import re

from typing_extensions import override

from crawlers.families.forum import Marks, TopicConfig, TopicSpider
from crawlers.reading.web_address import page_number, with_query

_IN_PATH = re.compile(r"/page(\d{1,6})(?:[/?#]|$)")


class VBulletin(TopicSpider):
    """Posts of one thread; a place is the number of a page, in the query or in the path."""

    kind = "vbulletin"
    title = "vBulletin thread"
    marks = Marks(
        post=':is(li.postcontainer, li.postbitlegacy, li.postbit)[id^="post_"]',
        number=re.compile(r"^post_(\d+)$"),
        anchor="post{id}",
        text=".postcontent",
        author=("a.username", ".username_container strong", ".username"),
        date=(".postdate .date", ".postdate"),
        topic="#posts, .threadtitle, #pagetitle",
        title=".threadtitle",
        following='.pagination a[rel="next"]',
        quoted=".bbcode_quote, .signature",
    )

    @override
    def address(self, config: TopicConfig, *, place: int) -> str:
        """A page by its number."""
        return with_query(config.url, page=place or None)

    @override
    def place_of(self, address: str) -> int:
        """The number of the page; the first page names none."""
        in_path = _IN_PATH.search(address)
        return int(in_path[1]) if in_path else page_number(address, default=0)
