"""Telegram: counts as they are shown, pages that only go down, and messages that are gone."""

from __future__ import annotations

import pytest

from crawlers.catalogue import spiders
from crawlers.errors import CrawlError, DriftError
from crawlers.families.telegram_messages import number
from tests.crawlers.saved_pages import FOLDER, parse
from tests.crawlers.talking import config, known, rechecked

FIRST = (FOLDER / "telegram/first.html").read_text("utf-8")
LAST = (FOLDER / "telegram/last.html").read_text("utf-8")
ERROR = '<body><div class="tgme_widget_message_error">{}</div></body>'


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("1", 1),
        ("226.2K", 226_200),
        ("1.24M", 1_240_000),
        ("4.02K", 4_020),
        ("1B", 10**9),
        ("", None),
        ("many", None),
        ("1.2k!", None),
        ("-4", None),
        ("١", None),
        (None, None),
    ],
)
def test_a_count_is_read_as_it_is_shown(shown: str | None, meant: int | None) -> None:
    assert number(shown) == meant


def test_a_page_only_leads_to_older_ones() -> None:
    first = parse("telegram", FIRST.encode())
    assert first.next is not None
    assert first.next.url == "https://t.me/s/kavira_talk?before=12"
    again = parse("telegram", FIRST.encode(), url="https://t.me/s/kavira_talk?before=12")
    assert again.next is None
    strange = FIRST.replace("/s/kavira_talk?before=12", "https://evil.example/?before=11")
    led = parse("telegram", strange.encode())
    assert led.next is not None
    assert led.next.url == "https://t.me/s/kavira_talk?before=11"


def test_a_search_in_a_channel_goes_on_as_one() -> None:
    page = parse("telegram", FIRST.encode(), config={"query": "recall T2"})
    assert page.next is not None
    assert page.next.url == "https://t.me/s/kavira_talk?q=recall+T2&before=12"


def test_a_message_is_gone_only_where_the_page_says_that_very_thing() -> None:
    gone = rechecked("telegram", ERROR.format("Post not found"), "kavira_talk/2")
    assert gone.gone == ("kavira_talk/2",)
    other = rechecked("telegram", ERROR.format("Please open Telegram to view"), "kavira_talk/2")
    assert other.gone == ()
    with pytest.raises(DriftError):
        rechecked("telegram", "<html><title>Telegram</title></html>", "kavira_talk/2")
    with pytest.raises(CrawlError):
        rechecked("telegram", ERROR.format("Post not found"), "kavira_talk/2", status=403)


def test_a_message_that_stands_is_read_again() -> None:
    page = rechecked("telegram", LAST, "kavira_talk/2")
    assert [post.external_id for post in page.posts] == ["kavira_talk/2"]
    assert page.gone == ()
    request = spiders()["telegram"].recheck(config("telegram"), known("kavira_talk/2"))
    assert request is not None
    assert request.url == "https://t.me/kavira_talk/2?embed=1&mode=tme"
