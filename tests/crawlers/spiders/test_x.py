"""X: what a search gives at two times, what is gone and what only seems so, and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.recording import Recording, recorded, unpacked
from core.types import Post
from crawlers.catalogue import spiders
from crawlers.contract import KnownPost, Request
from crawlers.errors import AuthError, CrawlError, QuotaError
from tests.crawlers.answering import answer_to, explained, posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT, config_of

PROBLEMS = "https://api.twitter.com/2/problems/"
X = spiders()["x"]
CONFIG = X.config(**config_of("x"))


def _recorded(shared: Path, day: str) -> dict[str, Post]:
    path = shared / "fixtures" / "x" / f"search_all_to_kfc_{day}.json.gz"
    return {
        post.external_id: post for post in Recording(of=recorded()["x"], path=path).read().posts
    }


def test_the_same_search_21_days_later_lacks_nine_has_one_more_and_five_that_changed(
    shared: Path,
) -> None:
    before, after = _recorded(shared, "2021-06-13"), _recorded(shared, "2021-07-04")
    assert (len(before), len(after)) == (214, 206)
    assert (len(before.keys() - after.keys()), len(after.keys() - before.keys())) == (9, 1)
    both = before.keys() & after.keys()
    changed = [
        one
        for one in both
        if (before[one].content_hash, before[one].engagement)
        != (after[one].content_hash, after[one].engagement)
    ]
    assert len(changed) == 5
    assert all(before[one].content_hash == after[one].content_hash for one in both)


def test_recorded_refusals_are_explained_in_the_words_of_x(shared: Path) -> None:
    def said(name: str, status: int) -> CrawlError | None:
        body = unpacked(shared / "fixtures" / "x" / name)
        return explained("x", body, status=status)

    assert isinstance(said("error_401.json", 401), AuthError)
    malformed = said("error_400_bad_start_time.json", 400)
    assert type(malformed) is CrawlError
    assert "must be before 'end_time'" in str(malformed)


def test_a_spent_limit_says_until_when_and_a_spent_plan_does_not() -> None:
    until = FETCHED_AT + timedelta(minutes=9)
    headers = {"x-rate-limit-reset": str(int(until.timestamp()))}
    spent = explained("x", {"title": "Too Many Requests"}, status=429, headers=headers)
    assert isinstance(spent, QuotaError)
    assert spent.until == until + timedelta(seconds=1)  # theirs may be cut off
    capped = explained("x", {"type": f"{PROBLEMS}usage-capped", "detail": "Cap"}, status=429)
    paid_out = explained("x", {"title": "CreditsDepleted"}, status=402)
    for one in (capped, paid_out):
        assert isinstance(one, QuotaError)
        assert one.until is None


@pytest.mark.parametrize("header", ["soon", "", "9" * 40, "-5"])
def test_a_reset_that_is_no_time_is_none(header: str) -> None:
    spent = explained("x", b"<html>", status=429, headers={"x-rate-limit-reset": header})
    assert isinstance(spent, QuotaError)
    assert spent.until is None


def test_an_app_without_access_is_a_matter_of_the_credential_and_5xx_is_none() -> None:
    refused = explained("x", {"type": f"{PROBLEMS}client-forbidden", "title": "No"}, status=403)
    assert isinstance(refused, AuthError)
    assert explained("x", b"", status=503) is None


def test_the_next_run_asks_from_a_little_before_the_newest_post() -> None:
    newest = str(2028428854686646277)
    url = X.start(CONFIG, cursor={"newest_id": newest}).url
    since = int(parse_qs(urlsplit(url).query)["since_id"][0])
    assert (int(newest) >> 22) - (since >> 22) == 5 * 60 * 1000
    assert "since_id" not in X.start(CONFIG, cursor={"newest_id": "x"}).url


def test_a_cursor_that_x_finds_too_old_is_given_up_in_the_same_run() -> None:
    def site(request: Request) -> object:
        if "since_id" in request.url:
            message = "'since_id' must be a tweet id created after 2026-02-23"
            return 400, {"errors": [{"message": message}], "title": "Invalid Request"}
        post = {"id": "2028428854686646277", "text": "kavira", "created_at": "2026-03-02T11:15:00Z"}
        return {"data": [post], "meta": {"result_count": 1}}

    pages, asked = walk("x", site, cursor={"newest_id": "1500000000000000000"})
    assert len(asked) == 2
    assert len(posts_of(pages)) == 1
    assert pages[-1].ahead["newest_id"] == "2028428854686646277"
    assert pages[-1].begins_at == FETCHED_AT - timedelta(days=7)


def test_a_search_that_meets_the_last_run_tells_of_no_loss_and_every_page_of_another_does() -> None:
    def site(request: Request) -> object:
        more = {} if "next_token" in request.url else {"next_token": "t1"}
        post = {"id": f"202842885468664627{len(more)}", "text": "kavira"}
        return {"data": [post], "meta": {"result_count": 1, **more}}

    met, _ = walk("x", site, cursor={"newest_id": "2028400000000000000"})
    assert [page.begins_at for page in met] == [None, None]
    unbound, _ = walk("x", site)
    assert [page.begins_at for page in unbound] == [FETCHED_AT - timedelta(days=7)] * 2


def test_pages_keep_the_bound_and_end_at_the_last_token() -> None:
    def site(request: Request) -> object:
        query = parse_qs(urlsplit(request.url).query)
        page = int(query.get("next_token", ["t0"])[0][1:])
        posts = [{"id": str(2028428854686646277 - page), "text": "kavira"}]
        more = {"next_token": f"t{page + 1}"} if page < 3 else {}
        assert query["since_id"]
        return {"data": posts, "meta": {"result_count": 1, **more}}

    pages, asked = walk("x", site, cursor={"newest_id": "2028400000000000000"})
    assert len(posts_of(pages)) == len(asked) == 4
    assert pages[-1].ahead["newest_id"] == "2028428854686646277"


def test_an_empty_page_with_a_token_is_not_the_last() -> None:
    def site(request: Request) -> object:
        if "next_token" in request.url:
            return {"data": [{"id": "1", "text": "kavira"}], "meta": {"result_count": 1}}
        return {"meta": {"result_count": 0, "next_token": "t1"}}

    assert len(posts_of(walk("x", site)[0])) == 1


def test_only_a_post_that_is_not_found_is_gone() -> None:
    known = [
        KnownPost(external_id="101", url="u"),
        KnownPost(external_id="102", url="u", extra={"version_id": "112"}),
        KnownPost(external_id="103", url="u"),
        KnownPost(external_id="104", url="u"),
    ]
    request = X.recheck(CONFIG, known)
    assert request is not None
    assert "ids=101%2C112%2C103%2C104" in request.url
    not_found, not_ours = f"{PROBLEMS}resource-not-found", f"{PROBLEMS}not-authorized-for-resource"
    errors = [
        {"resource_type": "tweet", "parameter": "ids", "value": "112", "type": not_found},
        {"resource_type": "tweet", "parameter": "ids", "value": "103", "type": not_ours},
        {
            "resource_type": "tweet",
            "parameter": "referenced_tweets.id",
            "value": "104",
            "type": not_found,
        },
        {"resource_type": "user", "parameter": "author_id", "value": "101", "type": not_found},
    ]
    body = {"data": [{"id": "101", "text": "still here"}], "errors": errors}
    page = X.parse_recheck(answer_to(request, body), CONFIG, known)
    assert [post.external_id for post in page.posts] == ["101"]
    assert page.gone == ("102",)


def test_the_token_is_in_no_request_until_it_is_signed() -> None:
    request = X.start(CONFIG, cursor={})
    signed = X.sign(request, CONFIG, {"bearer_token": "s3cret"}, token=None)
    assert "s3cret" not in repr(request)
    assert signed.headers["Authorization"] == "Bearer s3cret"
    assert signed.url == request.url


def test_the_time_of_an_edited_post_is_that_in_its_first_id() -> None:
    first = ((int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000) - 1288834974657) << 22) + 7
    item = {
        "id": str(first + (1 << 40)),
        "edit_history_tweet_ids": [str(first), str(first + (1 << 40))],
        "text": "kavira, corrected",
        "created_at": "2026-03-01T00:20:00Z",
    }
    fetched = answer_to(X.start(CONFIG, cursor={}), {"data": [item], "meta": {}})
    (post,) = X.parse(fetched, CONFIG, cursor={}, ahead={}).posts
    assert post.external_id == str(first)
    assert post.published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 3, 1, 0, 20, tzinfo=UTC)
