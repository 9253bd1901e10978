"""The mechanism is general: files of ten lines read recordings of sites that nobody had in mind."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.contract import Fetched, Page
from crawlers.declared.load import load_folder

SITES = Path(__file__).parents[3] / "bench/sites"


def _read(shared: Path, kind: str, file: str) -> tuple[Page, str]:
    spider = load_folder(SITES, taken={}).spiders[kind]
    body = (shared / "fixtures" / file).read_bytes()
    body = gzip.decompress(body) if file.endswith(".gz") else body
    config = spider.config.model_validate({"url": "https://recorded.example/article"})
    fetched = Fetched(
        url="https://recorded.example/article",
        status=200,
        headers={},
        body=body,
        fetched_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    return spider.parse(fetched, config, cursor={}, ahead={}), body.decode("utf-8", "replace")


def test_every_file_is_sound() -> None:
    assert load_folder(SITES, taken={}).broken == []


@pytest.mark.parametrize(
    ("kind", "file", "mark", "empty"),
    [
        ("delfi_2009", "delfi_lt/delfi__str1p1.html", r'class="comm-container"', 0),
        ("delfi_2009", "delfi_lt/delfi__str1p2.html", r'class="comm-container"', 0),
        (
            "bernardinai_2009",
            "delfi_lt/bernardinai__bernardinai1.html",
            r'<div class="comment">',
            0,
        ),
        (
            "idnes_2018",
            "news_comments_cz/idnes__comments_source__discussion_page1.htm.gz",
            r'class="contribution',
            1,  # somebody sent a comment without a word
        ),
        (
            "idnes_2018",
            "news_comments_cz/idnes__updating_comments_source__comment_page_with_1_comment.htm.gz",
            r'class="contribution',
            0,
        ),
        (
            "lidovky_2018",
            "news_comments_cz/lidovky__comments_source__discussion_page1.htm",
            r'class="contribution',
            0,
        ),
    ],
)
def test_a_recording_is_read_whole(
    shared: Path, kind: str, file: str, mark: str, empty: int
) -> None:
    page, source = _read(shared, kind.replace("_", "-"), file)
    counted = len(re.findall(mark, source))
    assert (len(page.posts), len(page.problems)) == (counted - empty, empty)
    assert all(post.author and post.text and post.published_at for post in page.posts)
    assert len({post.external_id for post in page.posts}) == len(page.posts)


def test_names_that_the_site_hides_between_digits_are_read(shared: Path) -> None:
    file = "news_comments_cz/idnes__comments_source__discussion_page1.htm.gz"
    page, _ = _read(shared, "idnes-2018", file)
    assert not any(re.search(r"\d", post.author or "") for post in page.posts)
    assert all(
        post.author_id and set(post.engagement) == {"likes", "dislikes"} for post in page.posts
    )


def test_the_pages_of_a_recording_lead_on(shared: Path) -> None:
    page, _ = _read(shared, "delfi-2009", "delfi_lt/delfi__str1p1.html")
    assert page.next is not None
    assert page.next.url.startswith("https://recorded.example/article.php?")
    assert "no=20" in page.next.url
