"""Google Business Profile: the log-in, its refusals, and a review that is asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import KnownPost, Request, Token
from crawlers.errors import AuthError, CrawlError, QuotaError
from tests.crawlers.answering import answer_to, explained, posts_of, walk
from tests.crawlers.saved_pages import FETCHED_AT, config_of

GOOGLE = spiders()["google-business"]
CONFIG = GOOGLE.config(**config_of("google-business"))
SECRETS = {"client_id": "an id", "client_secret": "s3cret&", "refresh_token": "1//r3fresh"}


def _log_in() -> Request:
    request = GOOGLE.log_in(CONFIG, SECRETS)
    assert request is not None
    return request


def test_a_refresh_token_is_changed_for_an_access_token_that_signs() -> None:
    request = _log_in()
    assert (request.method, request.url) == ("POST", "https://oauth2.googleapis.com/token")
    form = {key: one[0] for key, one in parse_qs(request.body).items()}
    assert form == {**SECRETS, "grant_type": "refresh_token"}
    answer = answer_to(request, {"access_token": "acc3ss", "expires_in": 3599})
    token = GOOGLE.read_token(answer)
    assert token == Token(value="acc3ss", expires_at=FETCHED_AT + timedelta(seconds=3599))
    start = GOOGLE.start(CONFIG, cursor={})
    signed = GOOGLE.sign(start, CONFIG, SECRETS, token=token)
    assert signed.headers["Authorization"] == "Bearer acc3ss"
    assert not any(secret in repr(signed) for secret in SECRETS.values())
    with pytest.raises(AuthError):
        GOOGLE.sign(start, CONFIG, SECRETS, token=None)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (
            {"error": "invalid_grant", "error_description": "Token has been revoked."},
            400,
            AuthError,
        ),
        ({"error": "invalid_client"}, 401, AuthError),
        ({"token": "x"}, 200, AuthError),
        (b"<html>", 502, CrawlError),
    ],
)
def test_a_refused_log_in_says_so(body: object, status: int, expected: type[CrawlError]) -> None:
    with pytest.raises(CrawlError) as caught:
        GOOGLE.read_token(answer_to(_log_in(), body, status=status))
    assert caught.type is expected


@pytest.mark.parametrize("lasts", [None, "soon", True, -5, 10**18])
def test_a_token_without_a_sensible_end_is_still_one(lasts: Any) -> None:
    token = GOOGLE.read_token(answer_to(_log_in(), {"access_token": "a", "expires_in": lasts}))
    assert token.value == "a"


def _refused(status: str, code: int) -> CrawlError | None:
    return explained("google-business", {"error": {"status": status, "code": code}}, status=code)


def test_refusals_are_told_apart() -> None:
    assert isinstance(_refused("UNAUTHENTICATED", 401), AuthError)
    assert isinstance(_refused("PERMISSION_DENIED", 403), AuthError)
    assert isinstance(_refused("RESOURCE_EXHAUSTED", 429), QuotaError)
    assert type(_refused("NOT_FOUND", 404)) is CrawlError
    assert type(_refused("INVALID_ARGUMENT", 400)) is CrawlError
    assert _refused("INTERNAL", 500) is None


def test_an_empty_page_with_a_token_is_not_the_last() -> None:
    def site(request: Request) -> object:
        if "pageToken" in request.url:
            return {"reviews": [{"reviewId": "r1", "comment": "words"}]}
        return {"nextPageToken": "t1"}

    assert len(posts_of(walk("google-business", site)[0])) == 1


@pytest.mark.parametrize("body", [b"<html><title>404</title></html>", b"", {}])
def test_a_404_of_somebody_else_takes_no_review_away(body: object) -> None:
    known = [KnownPost(external_id="r1", url="u")]
    request = GOOGLE.recheck(CONFIG, known)
    assert request is not None
    with pytest.raises(CrawlError):
        GOOGLE.parse_recheck(answer_to(request, body, status=404), CONFIG, known)


def test_a_review_that_is_not_found_is_gone_and_one_that_is_there_is_read() -> None:
    known = [KnownPost(external_id="Ab/1", url="u")]
    request = GOOGLE.recheck(CONFIG, known)
    assert request is not None
    assert request.url.endswith("/accounts/1001/locations/2002/reviews/Ab%2F1")
    refusal = {"error": {"code": 404, "status": "NOT_FOUND", "message": "Not found."}}
    gone = GOOGLE.parse_recheck(answer_to(request, refusal, status=404), CONFIG, known)
    assert gone.gone == ("Ab/1",)
    review = {"reviewId": "Ab/1", "comment": "Changed my mind", "starRating": "FIVE"}
    page = GOOGLE.parse_recheck(answer_to(request, review), CONFIG, known)
    assert [(post.text, post.rating) for post in page.posts] == [("Changed my mind", 5.0)]
    assert page.gone == ()
