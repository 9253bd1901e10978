"""phpBB 3: a topic in the standard style (prosilver), from which most others are made.

Unverified: built to the style's templates (github.com/phpbb/phpbb, ``viewtopic_body.html``); no
page of a board was recorded.
"""

from __future__ import annotations

import re

from typing_extensions import override

from crawlers.families.forum import Marks, TopicConfig, TopicSpider
from crawlers.reading.web_address import page_number, with_query


class PhpBB(TopicSpider):
    """Posts of one topic; a place is the number of the first post of a page (``start=``)."""

    kind = "phpbb"
    title = "phpBB topic"
    marks = Marks(
        post='div.post[id^="p"]',
        number=re.compile(r"^p(\d+)$"),
        anchor="p{id}",
        text=".content",
        author=(".author .username", ".author .username-coloured", ".postprofile .username"),
        # 3.3: <p class="author">… » <time datetime="2026-03-01T12:30:00+00:00">; 3.2 has its text,
        # behind "by ann2 »": the whole paragraph is no date where a name holds a digit.
        date=(".author time::attr(datetime)", ".author::text", ".author"),
        topic=".topic-title, body.section-viewtopic",
        title="h2.topic-title",
        following='.pagination li.next a, .pagination a[rel="next"]',
        quoted="blockquote, .signature, .notice",
    )

    @override
    def address(self, config: TopicConfig, *, place: int) -> str:
        """The page from a post on."""
        return with_query(config.url, start=place or None)

    @override
    def place_of(self, address: str) -> int:
        """How many posts stand before the page."""
        return page_number(address, default=0, key="start")
