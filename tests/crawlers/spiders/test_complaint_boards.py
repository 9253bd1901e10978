"""Complaints with answers: what says nothing answers nothing, and no comment hides another."""

from __future__ import annotations

from tests.crawlers.saved_pages import parse


def test_a_heading_without_words_is_no_answer_of_the_firm() -> None:
    card = (
        '<li class="bpr-complaint-grid" id="c1"><div class="bpr-complaint-body">It burned.</div>'
        "<div><h4>Business Response</h4><p>Date: 02/15/2026</p><p>We refunded.</p></div>"
        "<div><h4>Business Response</h4><p>Date: 02/16/2026</p></div></li>"
    )
    (post,) = parse("bbb", f"<html><body><ul>{card}</ul></body></html>".encode()).posts
    answer = {"text": "We refunded.", "published_at": "2026-02-15T00:00:00+00:00"}
    assert post.extra == {"case": {"answers": [answer]}, "reply": answer}


def test_two_comments_under_one_heading_are_two_posts_and_an_empty_rebuttal_is_no_reply() -> None:
    report = (
        '<div class="report-body">It burned.</div>'
        "<div><h3>REBUTTAL Owner of company</h3><p>SUBMITTED: February 11, 2026</p></div>"
        "<div><h3>Consumer Suggestion</h3><p>Sue them.</p></div>"
        "<div><h3>Consumer Suggestion</h3><p>Ask your bank.</p></div>"
    )
    page = parse(
        "ripoffreport",
        f"<html><body>{report}</body></html>".encode(),
        url="https://www.ripoffreport.com/report/kavira/x-1530042",
        state={"report": "/report/kavira/x-1530042"},
    )
    assert [post.text for post in page.posts] == ["It burned.", "Sue them.", "Ask your bank."]
    assert len({post.external_id for post in page.posts}) == 3
    assert "reply" not in page.posts[0].extra
