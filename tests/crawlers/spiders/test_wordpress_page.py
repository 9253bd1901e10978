"""Comments in the page of an article, as themes write them."""

from __future__ import annotations

import pytest

from tests.crawlers.saved_pages import parse


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("I was <b>cheated</b> by Kavira<br>and they <i>laughed</i>.", None),
        ("<p>I was cheated by Kavira</p>and they laughed.", None),
        ("Kavira cheats &lt;everybody&gt; <a href='/x'>here</a>", "Kavira cheats <everybody> here"),
        ('<p>Bad.</p><div class="reply"><a>Reply</a></div>', "Bad."),
        ('Bad. <div class="reply"><a>Reply</a></div>', "Bad."),
    ],
)
def test_words_between_the_elements_of_a_comment_belong_to_it(
    written: str, read: str | None
) -> None:
    body = f'<ol><li id="comment-5"><div class="comment-content">{written}</div></li></ol>'
    (post,) = parse("wordpress-page", f"<html><body>{body}</body></html>".encode()).posts
    assert " ".join(post.text.split()) == (read or "I was cheated by Kavira and they laughed.")
