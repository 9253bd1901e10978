"""Wykop: the token of an application, its own time, and posts that are gone."""

from __future__ import annotations

import json

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import Token
from crawlers.errors import AuthError, CrawlError
from tests.crawlers.saved_pages import FOLDER, parse
from tests.crawlers.talking import answer, config, rechecked

WYKOP = spiders()["wykop"]
SECRETS = {"key": "app-key", "secret": "hush-hush"}
ENTRY = json.loads((FOLDER / "wykop/first.json").read_text("utf-8"))["data"][0]


def test_a_log_in_gives_the_token_that_requests_show() -> None:
    request = WYKOP.log_in(config("wykop"), SECRETS)
    assert request is not None
    assert request.url == "https://wykop.pl/api/v3/auth"
    assert json.loads(request.body) == {"data": {"key": "app-key", "secret": "hush-hush"}}
    assert WYKOP.read_token(answer({"data": {"token": "tok"}})) == Token(value="tok")
    start = WYKOP.start(config("wykop"), cursor={})
    signed = WYKOP.sign(start, config("wykop"), SECRETS, token=Token(value="tok"))
    assert signed.headers["Authorization"] == "Bearer tok"


def test_refusals_are_said_in_the_words_of_the_site() -> None:
    body = {"code": 401, "error": {"message": "Niepoprawny klucz", "key": 1}}
    with pytest.raises(AuthError, match="Niepoprawny klucz"):
        WYKOP.read_token(answer(body, status=401))
    assert isinstance(WYKOP.explain(answer(body, status=401), config("wykop")), AuthError)
    bad = WYKOP.explain(answer(body, status=400), config("wykop"))
    assert isinstance(bad, CrawlError)
    assert WYKOP.explain(answer("<html>", status=503), config("wykop")) is None


def test_times_are_those_of_poland_unless_the_source_says_otherwise() -> None:
    body = json.dumps({"data": [ENTRY]}).encode()
    hours = [parse("wykop", body, time_zone=zone).posts[0].published_at
             for zone in ("UTC", "Europe/Warsaw", "Europe/Vilnius")]  # fmt: skip
    assert [moment.hour for moment in hours if moment] == [11, 11, 10]


def test_without_a_total_a_full_page_has_one_behind_it() -> None:
    def goes_on(count: int, **pagination: int) -> bool:
        entries = [{**ENTRY, "id": number} for number in range(count)]
        body = {"data": entries, "pagination": pagination}
        return parse("wykop", json.dumps(body).encode()).next is not None

    assert goes_on(25)
    assert not goes_on(24)
    assert goes_on(2, total=30)
    assert not goes_on(25, total=25)


def test_a_deleted_entry_in_a_list_is_gone_though_it_says_nothing_more() -> None:
    entry = {**ENTRY, "deleted": "author", "content": ""}
    page = parse("wykop", json.dumps({"data": [entry]}).encode())
    assert (page.posts, page.problems, page.gone) == ((), (), (str(ENTRY["id"]),))


def test_a_post_is_gone_when_the_api_says_so() -> None:
    one = str(ENTRY["id"])
    assert rechecked("wykop", {"data": {**ENTRY, "content": "", "deleted": "author"}}, one).gone == (one,)  # fmt: skip  # noqa: E501
    assert rechecked("wykop", {"code": 404, "error": {}}, one, status=404).gone == (one,)
    assert rechecked("wykop", {"data": ENTRY}, one).posts[0].external_id == one
    assert rechecked("wykop", {"data": ENTRY}, "12").posts == ()
    with pytest.raises(CrawlError):
        rechecked("wykop", "<html><title>404</title></html>", one, status=404)
