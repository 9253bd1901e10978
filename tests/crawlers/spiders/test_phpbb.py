"""phpBB: dates of its older styles, which stand behind the name of the author."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.crawlers.saved_pages import parse


@pytest.mark.parametrize(
    "author",
    [
        '<span class="responsive-hide">by <strong><a class="username">ann-2</a></strong> » </span>'
        "Sun Mar 01, 2026 9:30 am",
        '<a href="#p7"><img></a>by <strong><a class="username">ann2</a></strong> » '
        "Sun Mar 01, 2026 9:30 am ",
        '<span>by <a class="username">ann2</a> » </span>'
        '<time datetime="2026-03-01T09:30:00+00:00">yesterday</time>',
    ],
)
def test_a_digit_in_a_name_hides_no_date(author: str) -> None:
    post = f'<p class="author">{author}</p><div class="content">Words.</div>'
    page = f'<html lang="en"><body><div class="post" id="p7">{post}</div></body></html>'
    (read,) = parse("phpbb", page.encode()).posts
    assert read.published_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert read.author in ("ann2", "ann-2")
