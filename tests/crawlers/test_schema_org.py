"""Pages that describe their reviews: three syntaxes, selectors, and hostile marks."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import extruct  # noqa: F401 - its import takes longer than any page may
import pytest
from pydantic import ValidationError

from bench.recording import READ_AT, recordings
from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import Fetched, Page, Request
from crawlers.errors import CrawlError, DriftError
from crawlers.families.review_draft import Draft, merged, with_ids
from crawlers.families.schema_org import SchemaOrgConfig
from crawlers.reading.loose_json import parse_loosely
from crawlers.reading.structured import described
from tests.crawlers.saved_pages import config_of, parse

URL = config_of("schema-org")["url"]
REVIEW = "https://schema.org/Review"
CONSUMERAFFAIRS = {
    "card": ".rvw[data-id]",
    "id": "::attr(data-id)",
    "text": ".rvw-bd p",
    "published": ".rvw-bd span.ca-txt-cpt::text",
}
LENDINGTREE = {
    "card": ".mainReviews",
    "title": ".reviewTitle",
    "text": ".reviewText",
    "author": ".consumerName",
    "published": ".consumerReviewDate",
    "rating": ".numRec",
}
DEALERRATER = {
    "card": ".review-entry",
    "id": "a[name]::attr(name)",
    "text": ".review-title, .review-whole",
    "author": ".italic.notranslate",
    "published": ".review-date > div",
    "rating": ".rating-static::attr(class)",
    "rating_scale": 50,
}


def read(body: bytes, **config: Any) -> Page:
    return parse("schema-org", body, config=config, fetched_at=READ_AT)


def recorded_page(shared: Path, pattern: str) -> bytes:
    path = next((shared / "fixtures").glob(pattern))
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def page_of(*reviews: dict[str, Any], head: str = "") -> bytes:
    things = [{"@type": "Review", **review} for review in reviews]
    return f'<script type="application/ld+json">{json.dumps(things)}</script>{head}'.encode()


def test_what_pages_tell_search_engines_is_what_their_own_script_gets(shared: Path) -> None:
    told = {
        one.path.name: one.read() for one in recordings(shared / "fixtures", kinds={"schema-org"})
    }
    own = {
        one.path.name: one.read() for one in recordings(shared / "fixtures", kinds={"trustpilot"})
    }
    assert sum(len(page.posts) for page in told.values()) == 125
    for name, page in told.items():
        assert {_essence(post) for post in page.posts} == {
            _essence(post) for post in own[name].posts
        }, name


def _essence(post: Post) -> tuple[object, ...]:
    text = "".join(f"{post.text}{post.title}".split())
    author = "".join((post.author or "").split())
    return text, author, post.rating, post.published_at, post.language


def test_microdata_without_texts_and_selectors_give_what_a_spider_of_its_own_gives(
    shared: Path,
) -> None:
    body = recorded_page(shared, "consumeraffairs/*.gz")
    page = read(body, cards=CONSUMERAFFAIRS, languages=["en-US"])
    (own,) = (one.read() for one in recordings(shared / "fixtures", kinds={"consumeraffairs"}))
    assert [(post.external_id, post.text, post.author, post.rating) for post in page.posts] == [
        (post.external_id, post.text, post.author, post.rating) for post in own.posts
    ]
    dated = [
        (post.published_at, other.published_at)
        for post, other in zip(page.posts, own.posts, strict=True)
    ]
    assert sum(mine == theirs for mine, theirs in dated) == 20


@pytest.mark.parametrize(
    ("pattern", "cards", "ids"),
    [
        ("generic_reviews/lendingtree*", LENDINGTREE, "none"),
        ("generic_reviews/dealerrater*", DEALERRATER, "own"),
    ],
)
def test_pages_that_describe_only_a_total_are_read_by_selectors(
    shared: Path, pattern: str, cards: dict[str, Any], ids: str
) -> None:
    body = recorded_page(shared, pattern)
    with pytest.raises(DriftError, match=r"says \d+ reviews and describes none"):
        read(body)
    page = read(body, cards=cards, languages=["en-US"])
    assert (len(page.posts), page.announced, page.problems) == (10, 10, ())
    assert all(
        post.text and post.author and post.rating and post.published_at for post in page.posts
    )
    if ids == "own":
        assert all(f'<a name="{post.external_id}">'.encode() in body for post in page.posts)


def test_json_ld_with_comments_is_read(shared: Path) -> None:
    body = recorded_page(shared, "structured_data/JSONLD_with_JS_comment.html").decode()
    (telling,) = described(body, url=URL)
    assert telling.things[0]["@type"] == ["NewsArticle"]
    assert telling.losses == ()


@pytest.mark.parametrize(
    "written",
    [
        '{"a": "http://x/*y*/", "b": 1} // end',
        '/* a */ {"a": "http://x/*y*/", "b": 1,}',
        '<!-- {"a": "http://x/*y*/", "b": 1} -->',
        '//<![CDATA[\n{"a": "http://x/*y*/", "b": 1};\n//]]>',
        "{&quot;a&quot;: &quot;http://x/*y*/&quot;, &quot;b&quot;: 1}",
    ],
)
def test_nearly_json_is_read(written: str) -> None:
    assert parse_loosely(written, what="it") == {"a": "http://x/*y*/", "b": 1}


@pytest.mark.parametrize(
    "written", ["", "{", '{"a": }', '{"a": "b', "[" * 100_000, "NaN", '"' * 99_999]
)
def test_what_is_not_nearly_json_is_refused_soon(written: str) -> None:
    started = time.process_time()
    with pytest.raises(DriftError):
        parse_loosely(written * 3 if len(written) < 9 else written, what="it")
    assert time.process_time() - started < 1


def _marked(inner: str) -> bytes:
    scope = f'<div itemscope itemtype="{REVIEW}">'
    return f"{scope}<p itemprop=reviewBody>It burned.</p>{inner}</div>".encode()


@pytest.mark.parametrize(
    "body",
    [
        _marked("<i itemprop=name>x</i>" * 50_000),
        _marked("<div itemprop=name>" * 90 + "<b>words</b>" * 5000 + "</div>" * 90),
        _marked("<div itemprop=name>" * 200_000),
        _marked(f'<div itemprop=review itemscope itemtype="{REVIEW}">' * 5000),
        _marked("<i itemprop=name>x</i>" * 2000).replace(
            b"<div", b'<div id=a itemref="' + b"a " * 500 + b'"', 1
        ),
        b'<div vocab="https://schema.org/" typeof="Review">' + b'<i property="name">x</i>' * 50_000,
        b'<div vocab="https://schema.org/">' + b'<div typeof="Review" property="review">' * 5000,
        b'<div itemtype="' * 50_000 + b'/Review">',
        b"<script type=application/ld+json>"
        + b'{"review":' * 900
        + b"1"
        + b"}" * 900
        + b"</script>",
        b"<script type=application/ld+json>["
        + b'{"@type":"Review","reviewBody":"same same"},' * 60_000
        + b"{}]</script>",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_marks_without_end_are_left_alone_soon(body: bytes) -> None:
    results, seconds = zip(*(_read_timed(body) for _ in range(3)), strict=True)
    assert min(seconds) <= 1  # the quickest: other processes slow single ones
    for result in results:
        assert isinstance(result, Page) or len(str(result)) > len("a reason")


def _read_timed(body: bytes) -> tuple[Page | CrawlError, float]:
    """What reading yields, and its seconds of processor time."""
    started = time.process_time()
    try:
        result: Page | CrawlError = read(body)
    except CrawlError as error:
        result = error
    return result, time.process_time() - started


def test_marks_that_are_too_many_are_said_to_be() -> None:
    with pytest.raises(DriftError, match="more than can be read"):
        read(_marked("<i itemprop=name>x</i>" * 5000))
    with pytest.raises(DriftError, match="100 levels"):
        read(_marked("<div>" * 150 + "</div>" * 150))


def test_a_broken_syntax_does_not_hide_the_other() -> None:
    body = page_of({"reviewBody": "Whole.", "author": "Ona"}) + _marked("<div>" * 150)
    assert [post.text for post in read(body).posts] == ["Whole."]


@pytest.mark.parametrize(
    ("written", "rating"),
    [
        ({"ratingValue": "4,5"}, (4.5, 5.0)),
        ({"ratingValue": 7, "bestRating": "10"}, (7.0, 10.0)),
        ({"ratingValue": 92, "bestRating": 100, "worstRating": 0}, (92.0, 100.0)),
        ({"ratingValue": "3/5"}, (3.0, 5.0)),
        ({"ratingValue": "0", "worstRating": "0"}, (0.0, 5.0)),
        ({"ratingValue": 7}, (None, None)),
        ({"ratingValue": -1}, (None, None)),
        ({"ratingValue": True}, (None, None)),
        ({"ratingValue": "five", "bestRating": {}}, (None, None)),
        ({"ratingValue": 4, "bestRating": 0}, (None, None)),
        (["", None, 3], (None, None)),
        ("4", (4.0, 5.0)),
    ],
)
def test_a_rating_is_read_on_its_scale_or_not_at_all(
    written: object, rating: tuple[float | None, float | None]
) -> None:
    (post,) = read(page_of({"reviewBody": "Words.", "reviewRating": written})).posts
    assert (post.rating, post.rating_scale) == rating


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (1234, 1234),
        ("1,234", 1234),
        ("1 234 reviews", 1234),
        ("0", 0),
        ("many", None),
        (None, None),
    ],
)
def test_how_many_there_are_is_a_whole_number(written: object, count: int | None) -> None:
    total = {"@type": "AggregateRating", "ratingValue": "4.5", "reviewCount": written}
    thing = {"@type": "Product", "aggregateRating": total, "review": {"reviewBody": "Words."}}
    page = f'<script type="application/ld+json">{json.dumps(thing)}</script>'.encode()
    (post,) = read(page).posts
    assert post.extra["total"] == {"rating": 4.5, "rating_scale": 5.0} | (
        {} if count is None else {"count": count}
    )


def test_places_on_a_page_are_no_names_for_they_move() -> None:
    page = read(
        page_of(
            {"@id": "#review-1", "reviewBody": "One."},
            {"@id": f"{URL}?page=2#review-2", "reviewBody": "Two."},
            {"@id": URL, "reviewBody": "Three."},
            {"@id": "#review-48213", "reviewBody": "Four."},
            {"url": "/r/55", "reviewBody": "Five."},
            {"@id": "https://cdn.example/firm", "reviewBody": "Six."},
            {"@id": "https://cdn.example/firm", "reviewBody": "Seven."},
        )
    )
    assert [post.external_id for post in page.posts if not _is_hash(post.external_id)] == [
        f"{URL}#review-48213",
        "https://reviews.example/r/55",
    ]
    assert len({post.external_id for post in page.posts}) == 7


def _is_hash(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def test_only_the_firm_answers() -> None:
    def reply(author: dict[str, str]) -> object:
        item = {"@type": "Product", "name": "Kavira"}
        comment = {"@type": "Comment", "author": author, "text": "We are sorry."}
        review = {"reviewBody": "Bad.", "itemReviewed": item, "comment": comment}
        (post,) = read(page_of(review)).posts
        assert post.text == "Bad."
        return post.extra.get("reply")

    assert reply({"@type": "Person", "name": "Neighbour"}) is None
    assert reply({"@type": "Organization", "name": "Whoever"}) == {
        "text": "We are sorry.",
        "author": "Whoever",
    }
    assert reply({"@type": "Person", "name": "Kavira"}) is not None


def test_a_review_told_twice_is_one_and_two_alike_by_two_people_are_two() -> None:
    long = "The kettle burned down half of our kitchen on the very first morning."
    first = [Draft(text=long[:50] + "…", author="Ona"), Draft(text="Great!", author="Jan")]
    second = [Draft(text=long, rating=1.0, rating_scale=5.0), Draft(text="Great!", author="Eva")]
    both = merged(first, second)
    assert [(one.text, one.author, one.rating) for one in both] == [
        (long, "Ona", 1.0),
        ("Great!", "Jan", None),
        ("Great!", "Eva", None),
    ]
    same = Draft(text="Great!", author="Jan", rating=2.0, rating_scale=10.0)
    assert (
        len(merged([Draft(text="Great!", author="Jan", rating=5.0, rating_scale=5.0)], [same])) == 2
    )


def test_the_same_words_give_the_same_id_wherever_they_stand() -> None:
    one, other = Draft(text="Burned.", author="Ona"), Draft(text="Fine.", author="Jan")
    ids = {draft.text: name for name, draft in with_ids([one, other])}
    again = {draft.text: name for name, draft in with_ids([Draft(text="New."), other, one, one])}
    assert ids.items() <= again.items()
    assert len(again) == 3


def test_a_review_that_is_shown_twice_keeps_its_name() -> None:
    one, other = Draft(name="r1", text="Burned."), Draft(name="r1", text="Fine.")
    assert [name for name, _ in with_ids([one, one])] == ["r1"]
    assert "r1" not in dict(with_ids([one, one, other]))


def test_a_made_id_takes_in_only_a_date_that_reads_the_same_tomorrow() -> None:
    def made(published: str) -> str:
        return with_ids([Draft(text="Burned.", author="Ona", published=published)])[0][0]

    assert made("2 days ago") == made("3 days ago") == made("Mar 3, 2026")
    assert made("2026-03-03T10:00:00Z") == made("2026-03-03") != made("2026-03-04")


@pytest.mark.parametrize(
    "config",
    [
        {"next_url": "https://elsewhere.example/{page}"},
        {"next_url": "http://reviews.example/{page}"},
        {"next_url": "https://reviews.example/p"},
        {"cards": {"card": "li["}},
        {"cards": {}},
        {"cards": {"card": "li", "colour": "b"}},
        {"most_pages": 0},
    ],
)
def test_a_wrong_config_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SchemaOrgConfig(url=URL, **config)


class Pages:
    """A site that answers each address, and the run over it."""

    def __init__(self, **config: Any) -> None:
        self.config = SchemaOrgConfig(url=URL, **config)
        self.asked: list[str] = []

    def run(self, site: Any) -> list[str]:
        spider = spiders()["schema-org"]
        request: Request | None = spider.start(self.config, cursor={})
        found: list[str] = []
        while request is not None and len(self.asked) < 60:
            self.asked.append(request.url)
            state = json.loads(json.dumps(dict(request.state)))
            assert len(json.dumps(state)) < 4000
            status, body = site(request.url)
            fetched = Fetched(
                url=request.url,
                status=status,
                headers={},
                body=body,
                fetched_at=READ_AT,
                state=state,
            )
            page = spider.parse(fetched, self.config, cursor={}, ahead={})
            found += [post.text for post in page.posts]
            request = page.next
        return found


def test_a_pattern_is_followed_until_a_page_is_not_there() -> None:
    def site(url: str) -> tuple[int, bytes]:
        number = int(url.rpartition("/p")[2] if "/p" in url else 1)
        return (404, b"gone") if number > 3 else (200, page_of({"reviewBody": f"Page {number}."}))

    pages = Pages(next_url="https://reviews.example/kavira/p{page}")
    assert pages.run(site) == ["Page 1.", "Page 2.", "Page 3."]
    assert len(pages.asked) == 4


def test_a_pattern_ends_with_the_highest_number_that_the_page_links_to() -> None:
    def site(url: str) -> tuple[int, bytes]:
        links = "".join(f'<a href="/kavira/p{number}">{number}</a>' for number in (1, 2))
        return 200, page_of({"reviewBody": url}, head=links)

    pages = Pages(next_url="https://reviews.example/kavira/p{page}")
    assert len(pages.run(site)) == 2


def test_pages_that_repeat_or_lead_in_a_circle_end() -> None:
    def circle(url: str) -> tuple[int, bytes]:
        other = "/kavira?b=1" if "b=1" not in url else "/kavira"
        return 200, page_of({"reviewBody": url}, head=f'<link rel="next" href="{other}">')

    assert len(Pages().run(circle)) == 3
    same = (200, page_of({"reviewBody": "Same."}))
    assert len(Pages(next_url="https://reviews.example/{page}").run(lambda _: same)) == 2
    ever = Pages(next_url="https://reviews.example/{page}", most_pages=5)
    assert len(ever.run(lambda url: (200, page_of({"reviewBody": url})))) == 5


def test_an_unchanged_page_ends_no_run_where_the_last_one_went_on_behind_it() -> None:
    spider = spiders()["schema-org"]
    config = spider.config(**config_of("schema-org"))
    alone, following = {"reviewBody": "Curi."}, '<a rel="next" href="?page=2">2</a>'
    further = read(page_of(alone, head=following)).ahead
    assert not spider.start(config, cursor=further).may_be_unchanged
    behind = parse("schema-org", page_of(alone), state={"page": 2}, ahead=further).ahead
    assert not spider.start(config, cursor=behind).may_be_unchanged
    single = parse("schema-org", page_of(alone), cursor=further).ahead
    assert spider.start(config, cursor=single).may_be_unchanged


def test_the_next_page_is_asked_of_the_configured_site_only() -> None:
    def following(link: str) -> str | None:
        head = f'<link rel="next" href="{link}">'
        found = read(page_of({"reviewBody": "x"}, head=head)).next
        return found.url if found else None

    assert following("/kavira?page=2#x") == "https://reviews.example/kavira?page=2"
    assert following("http://www.reviews.example/kavira/2") == "https://reviews.example/kavira/2"
    for link in ("https://evil.example/2", "https://reviews.example:8443/2", "file:///etc/passwd"):
        assert following(link) is None
    assert following("//169.254.169.254/latest") is None
    assert following("http://[bad/") is None


def test_reviews_out_of_order_do_not_end_a_run_early() -> None:
    head, cursor = '<link rel="next" href="?page=2">', {"newest": "2026-05-30T00:00:00+00:00"}
    old = [{"reviewBody": f"{day}", "datePublished": f"2026-01-{day}"} for day in (10, 20)]
    asked = parse("schema-org", page_of(*old, head=head), fetched_at=READ_AT, cursor=cursor).next
    assert asked is not None
    old.reverse()
    ended = parse("schema-org", page_of(*old, head=head), fetched_at=READ_AT, cursor=cursor).next
    assert ended is None
