"""What the rules of a site's file read, page by page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.contract import Fetched, Page
from crawlers.declared.site import Site
from crawlers.declared.spider import DeclaredSpider, spider_of
from crawlers.errors import DriftError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIELDS = {"id": "::attr(id)", "text": ".text"}


def site(**changed: Any) -> DeclaredSpider:
    given: dict[str, Any] = {
        "kind": "kettles",
        "title": "Kettles",
        "family": "cards",
        "posts": "review",
        "minimum_interval_seconds": 60,
        "base_url": "https://kettles.example",
        "url": "{base_url}/reviews",
        "items": ".r",
        "fields": FIELDS,
    }
    fields = FIELDS | changed.pop("fields", {})
    return spider_of(Site.model_validate(given | {"fields": fields} | changed))


def read(
    spider: DeclaredSpider,
    body: str,
    *,
    state: dict[str, Any] | None = None,
    cursor: dict[str, Any] | None = None,
    time_zone: str = "UTC",
    url: str = "https://kettles.example/reviews",
) -> Page:
    config = spider.config.model_validate({})
    fetched = Fetched(
        url=url, status=200, headers={}, body=body.encode(), fetched_at=NOW,
        time_zone=time_zone, state=state or {},
    )  # fmt: skip
    return spider.parse(fetched, config, cursor=cursor or {}, ahead=cursor or {})


def card(id_: str, inner: str = "") -> str:
    return f'<div class="r" id="{id_}"><p class="text">Curi.</p>{inner}</div>'


@pytest.mark.parametrize(
    ("rule", "inner", "rating"),
    [
        ({"at": "b"}, "<b>4,5/5</b>", 4.5),
        ({"at": "b"}, "<b>Rated 3 out of 5</b>", 3),
        ({"at": "b"}, "<b>7 of 5</b>", None),
        ({"at": "b"}, "<b>none</b>", None),
        ({"at": "i::attr(class)", "match": r"star-rating-(\d)"}, '<i class="star-rating-2">', 2),
        (
            {"at": "i::attr(class)", "match": r"star-rating (\w+)", "words": {"Five": 5, "One": 1}},
            '<i class="star-rating five"></i>',
            5,
        ),
        (
            {"at": "i::attr(class)", "match": r"(\w+)$", "words": {"One": 1}},
            '<i class="Six">',
            None,
        ),
        ({"at": "i::attr(style)", "match": r"(\d+)%", "scale": 100}, '<i style="width: 80%">', 80),
        ({"count": ".full"}, '<i class="full"></i><i class="full"></i><i></i>', 2),
        ({"count": ".full"}, "<i></i>", None),
    ],
)
def test_a_rating_is_read_however_the_site_shows_it(
    rule: dict[str, Any], inner: str, rating: float | None
) -> None:
    [post] = read(site(fields={"rating": rule}), card("1", inner)).posts
    assert post.rating == rating
    assert post.rating_scale == (None if rating is None else rule.get("scale", 5))


def test_the_first_selector_that_says_something_counts() -> None:
    spider = site(fields={"author": [".nick", "a::attr(title)", "a"]})
    page = read(spider, card("1", '<b class="nick"> </b><a title="Ana">A.</a>'))
    assert page.posts[0].author == "Ana"


def test_own_text_leaves_out_what_stands_inside() -> None:
    inner = "<h4>A<i>17</i>n<i>3</i>a <sup>x</sup></h4>"
    assert read(site(fields={"author": "h4::text"}), card("1", inner)).posts[0].author == "Ana"
    assert read(site(fields={"author": "h4"}), card("1", inner)).posts[0].author == "A17n3a x"


def test_a_date_is_the_first_value_that_is_one_in_the_sites_zone() -> None:
    spider = site(
        fields={"date": ["time::attr(title)", "time"]},
        dates={"languages": ["hr"], "zone": "Europe/Zagreb"},
    )
    body = card("1", '<time title="soon">jučer, 22:40</time>')
    assert read(spider, body).posts[0].published_at == datetime(2026, 3, 1, 21, 40, tzinfo=UTC)
    other = read(spider, body, time_zone="Europe/London").posts[0]
    assert other.published_at == datetime(2026, 3, 1, 22, 40, tzinfo=UTC)


def test_parts_of_a_value_are_put_together() -> None:
    rule = {"at": "time", "match": r"(\d+) (\d\d) (\d\d)", "form": r"\1-\2-\3"}
    [post] = read(site(fields={"date": rule}), card("1", "<time>2026 02 13</time>")).posts
    assert post.published_at == datetime(2026, 2, 13, tzinfo=UTC)


def test_answers_inside_an_item_are_posts_of_their_own_and_know_their_parent() -> None:
    spider = site(without=".answers", fields={"text": "p", "parent": {"enclosing": True}})
    inner = f'<div class="answers">{card("2", "<div class=answers>" + card("3") + "</div>")}</div>'
    body = f'<div class="r" id="1"><p>First.</p>{inner}<p>Its end.</p></div>'
    posts = {post.external_id: post for post in read(spider, body).posts}
    assert {id_: post.parent_id for id_, post in posts.items()} == {"1": None, "2": "1", "3": "2"}
    assert [posts[id_].text for id_ in "123"] == ["First.\n\nIts end.", "Curi.", "Curi."]


def test_the_text_behind_what_is_cut_stays() -> None:
    body = '<div class="r" id="1"><div class="text">Before <q>a quote</q> and after.</div></div>'
    assert read(site(without="q"), body).posts[0].text == "Before and after."


def test_a_firms_answer_is_no_post_and_stands_beside_the_review() -> None:
    spider = site(
        skip=".firm",
        without=".answers",
        reply={"text": ".answers .firm", "date": ".answers time"},
    )
    answer = (
        '<div class="answers"><div class="r" id="2"><p class="text firm">Sorry.</p>'
        "<time>2026-03-01</time></div></div>"
    )
    page = read(spider, card("1", answer))
    assert [post.external_id for post in page.posts] == ["1"]
    assert page.posts[0].extra["reply"] == {
        "text": "Sorry.",
        "published_at": "2026-03-01T00:00:00+00:00",
    }
    assert page.announced == 1


def test_an_id_is_made_where_the_site_shows_none() -> None:
    spider = site(fields={"id": {"at": "::attr(id)", "made_of": ["author", "text"]}, "author": "b"})
    plain = '<div class="r"><p class="text">{}</p><b>Ana</b></div>'
    one, again, other = (
        read(spider, plain.format(text)).posts[0].external_id for text in ("Curi.", "Curi.", "No.")
    )
    assert one == again != other
    assert read(spider, card("7")).posts[0].external_id == "7"
    assert len(read(spider, '<div class="r"></div>').problems) == 1


def test_an_empty_page_is_drift_unless_the_file_says_that_it_may_be() -> None:
    with pytest.raises(DriftError, match="no items"):
        read(site(), "<p>Nothing here.</p>")
    page = read(site(empty=".none"), '<p class="none">Nothing here.</p>')
    assert (page.posts, page.announced) == ((), 0)


def test_a_page_with_less_than_it_says_is_told() -> None:
    contract = {"total": "b", "page_size": 20}
    page = read(site(contract=contract), f"<b>105 reviews</b>{card('1')}")
    assert (len(page.posts), page.announced) == (1, 20)
    last = read(site(contract=contract), f"<b>105</b>{card('1')}", state={"page": 6})
    assert last.announced == 5
    with pytest.raises(DriftError, match="there are 105 posts and lists none"):
        read(site(contract=contract, empty="b"), "<b>105 reviews</b>")
    with pytest.raises(DriftError, match="lists 1 items and always had 3"):
        read(site(contract={"least": 3}), card("1"))


def test_pages_are_numbered_as_the_site_does() -> None:
    spider = site(next={"by": "number", "query": "start", "first": 0, "step": 20, "more": ".more"})
    more = '<a class="more"></a>'
    second = read(spider, card("1") + more).next
    assert second is not None
    assert second.url == "https://kettles.example/reviews?start=20"
    third = read(spider, card("2") + more, state=dict(second.state)).next
    assert third is not None
    assert third.url == "https://kettles.example/reviews?start=40"
    assert read(spider, card("3")).next is None
    assert read(spider, card("1") + more, state=dict(second.state)).next is None  # the same again


def test_the_number_of_pages_is_the_greatest_that_is_said() -> None:
    spider = site(next={"by": "number", "query": "page", "pages": ".pager a"})
    pager = '<div class="pager"><a>1</a><a>2</a><a>1 204</a></div>'
    assert read(spider, card("1") + pager, state={"page": 1203}).next is None  # over the limit
    assert read(spider, card("1") + pager, state={"page": 2}).next is not None
    assert read(spider, card("1"), state={"page": 2}).next is None


def test_a_next_link_stays_on_the_host_of_the_config() -> None:
    spider = site(next={"by": "link", "link": "a::attr(href)"})

    def following(href: str) -> str | None:
        page = read(spider, card("1") + f'<a href="{href}">next</a>')
        return page.next.url if page.next else None

    assert following("?p=2#top") == "https://kettles.example/reviews?p=2"
    assert following("http://www.kettles.example/x?p=2") == "https://kettles.example/x?p=2"
    assert following("javascript:void(0)") is None
    elsewhere = read(spider, card("1") + '<a href="https://elsewhere.example/?p=2">next</a>')
    assert (len(elsewhere.posts), elsewhere.next) == (1, None)
    assert "another host" in str(elsewhere.dead_end)


def test_a_next_link_to_a_page_of_this_run_ends_it() -> None:
    spider = site(next={"by": "link", "link": "a::attr(href)"})

    def page(own: str, href: str, state: dict[str, Any] | None = None) -> Page:
        url = f"https://kettles.example/reviews{own}"
        return read(spider, card(own) + f'<a href="{href}">next</a>', state=state, url=url)

    assert page("", "#top").next is None
    second = page("", "?p=2").next
    assert second is not None
    third = page("?p=2", "?p=3", dict(second.state)).next
    assert third is not None
    for read_before in ("?p=3", "?p=2", "/reviews"):
        assert page("?p=3", read_before, dict(third.state)).next is None
    assert page("?p=3", "?p=4", dict(third.state)).next is not None


@pytest.mark.parametrize(
    ("dates", "goes_on"),
    [
        (("2026-02-01", "2026-01-31", "2026-01-31"), False),
        (("2026-01-31", "2026-02-01", "2026-01-30"), True),  # by merit, perhaps
        (("2026-02-28", "2026-02-01"), True),
    ],
)
def test_newest_first_is_believed_only_where_the_page_keeps_it(
    dates: tuple[str, ...], goes_on: bool
) -> None:
    spider = site(next={"by": "number", "query": "page"}, fields={"date": "i"})
    body = "".join(card(f"r{n}", f"<i>{date}</i>") for n, date in enumerate(dates))
    page = read(spider, body, cursor={"newest": "2026-03-01T00:00:00+00:00"})
    assert (page.next is not None) is goes_on


def test_where_the_oldest_come_first_a_run_goes_on_at_the_last_page() -> None:
    spider = site(
        order="oldest", next={"by": "number", "query": "page", "pages": "b"}, fields={"date": "i"}
    )
    config = spider.config.model_validate({})
    assert spider.start(config, cursor={}).url == "https://kettles.example/reviews"
    body = card("9", "<i>2020-01-01</i>") + "<b>4</b>"
    page = read(spider, body, state={"page": 3}, cursor={"newest": "2026-01-01T00:00:00+00:00"})
    assert page.next is not None, "old posts do not end it"
    assert page.ahead["page"] == 3
    again = spider.start(config, cursor=page.ahead)
    assert again.url == "https://kettles.example/reviews?page=3"
    assert again.state == {"page": 3}


def test_json_is_read_by_keys() -> None:
    spider = site(
        family="json_api",
        items="data.list",
        fields={"id": "id", "text": "body.html", "author": ["user.name", "user.nick"],
                "date": "at", "rating": {"at": "stars"}},
        counters={"likes": "votes.0"},
        next={"by": "link", "link": "paging.next"},
    )  # fmt: skip
    item = {"id": 7, "body": {"html": "<p>Curi.</p><p>Jako.</p>"}, "user": {"nick": "ana"},
            "at": 1772000000, "stars": 4.5, "votes": [3, 1]}  # fmt: skip
    body = {"data": {"list": [item, {"id": 8}, 9]}, "paging": {"next": "/reviews?after=7"}}
    page = read(spider, json.dumps(body))
    [post] = page.posts
    assert (post.external_id, post.text, post.author) == ("7", "Curi.\n\nJako.", "ana")
    assert (post.rating, post.engagement, post.published_at.year) == (4.5, {"likes": 3}, 2026)  # type: ignore[union-attr]
    assert len(page.problems) == 2
    assert page.next is not None
    assert page.next.url == "https://kettles.example/reviews?after=7"
    assert read(spider, '{"data": {"list": []}}').announced == 0
    with pytest.raises(DriftError, match=r"no list data\.list"):
        read(spider, '{"data": {}}')


def test_a_param_cannot_leave_its_place() -> None:
    given = {"params": {"firm": {}}, "url": "{base_url}/f/{firm}"}
    spider = site(**given)
    for bad in ("..", ".", "a/b", "a?b", "a#b", "a b", "%2e%2e", "a\\b", ""):
        with pytest.raises(ValueError, match="firm"):
            spider.config.model_validate({"firm": bad})
    free = site(params={"firm": {"pattern": ".+"}}, url="{base_url}/f/{firm}")
    config = free.config.model_validate({"firm": "?x=1#@evil.example/ž"})
    assert free.start(config, cursor={}).url == (
        "https://kettles.example/f/%3Fx=1%23@evil.example/%C5%BE"
    )
