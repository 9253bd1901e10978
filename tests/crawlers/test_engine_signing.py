"""Credentials: checked before a run, shown to their own host alone, and written nowhere."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from core.errors import SettingsError
from core.models import CrawlRun, QuotaUse, RawAnswer
from core.settings import CrawlSection, LogSection, load_settings
from crawlers.contract import Token
from crawlers.credentials import Tokens, hide, revealed, secrets_for
from crawlers.errors import AuthError
from crawlers.wire import Greeting, greeting_line, read_greeting
from pipeline.evidence import unpacked
from tests.crawlers import site as bad
from tests.crawlers.conftest import Crawler, start_child, stop_child
from tests.crawlers.keyed import Keyed, KeyedConfig
from tests.crawlers.site import Asked, Site, page, posts, redirect, serving, status
from tests.databases import Databases

PASSWORD, TOKEN = "s3cret-canary/one", "t0ken-canary-two"
PARTS = {"name": "kavira-desk", "password": PASSWORD}


@pytest.fixture(scope="module")
def _keyed(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Crawler, Site, Site, Path]]:
    """A child with a credential, two sites that it may reach, and its log."""
    from core.database import owner_engine

    log = tmp_path_factory.mktemp("log") / "child"
    with databases.lent() as url, serving() as one, serving() as other:
        engine = owner_engine(url)
        allowed = [f"{host}:{s.port}" for s in (one, other) for host in ("127.0.0.1", "localhost")]
        with log.open("wb") as output:
            process = start_child(
                url,
                credentials={"keyed": PARTS, "fresh": PARTS, "half": {"name": "x"}},
                log_to=output,
                allowed_addresses=allowed,
                timeout_seconds=4.0,
            )
        yield Crawler(engine, process), one, other, log
        engine.dispose()
        assert stop_child(process) == 0


@pytest.fixture
def keyed(_keyed: tuple[Crawler, Site, Site, Path]) -> Iterator[tuple[Crawler, Site, Site]]:
    """The child and its sites; afterwards no secret stands in its database or its log."""
    crawler, one, other, log = _keyed
    for site in (one, other):
        site.pages.clear()
        site.asked.clear()
    one.pages["/token"] = page(json.dumps({"token": TOKEN, "seconds": 0}))
    yield crawler, one, other
    _assert_unwritten(crawler.engine, log)


def _assert_unwritten(engine: Engine, log: Path) -> None:
    written = log.read_text("utf-8", errors="replace")
    with Session(engine) as session:
        for table in ("source", "crawl_run", "post", "dead_letter", "quota_use", "raw_answer"):
            rows = session.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")).scalars()
            written += "\n".join(rows)
    for secret in (PASSWORD, TOKEN, PASSWORD.replace("/", "%2F"), PASSWORD.replace("/", r"\/")):
        assert secret not in written


def _source(crawler: Crawler, url: str, **params: str) -> int:
    return crawler.source(url, kind="keyed", params=params)


def _shown(asked: list[Asked]) -> list[str | None]:
    return [one.headers.get("authorization") for one in asked if "/token" not in one.path]


def test_a_log_in_gives_a_token_and_the_token_is_shown(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/2"))
    site.pages["/2"] = page(posts(("b", "text")))
    site.pages["/token"] = page(json.dumps({"token": TOKEN, "seconds": 3600}))
    source = _source(crawler, f"{site.url}/1")
    assert (crawler.crawl(source).outcome, crawler.crawl(source).outcome) == ("ok", "ok")
    (login, *pages) = site.asked
    assert (login.method, login.path) == ("POST", "/token?id=kavira-desk")
    assert json.loads(login.body) == PARTS
    # One log-in serves the second run as well.
    assert [one.path for one in pages] == ["/1", "/2"] * 2
    assert _shown(pages) == [TOKEN] * 4


def test_a_missing_part_ends_the_run_before_anything_is_asked(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    run = crawler.crawl(_source(crawler, f"{site.url}/1", credential="half"))
    assert run.outcome == "auth"
    for word in ("[credentials.half]", '"password"', "an app password", "HALF__PASSWORD"):
        assert word in (run.reason or "")
    assert site.asked == []


@pytest.mark.parametrize(
    "refusal", [status("401 Unauthorized"), lambda a: a.answer("400 Bad Request", "expired")]
)
def test_a_token_that_is_refused_is_renewed_once(
    refusal: bad.Answer, keyed: tuple[Crawler, Site, Site]
) -> None:
    crawler, site, _ = keyed
    given = iter(["old-token-value", "new-token-value", "next-token-value"])

    def token(asked: Asked) -> None:
        asked.answer(body=json.dumps({"token": next(given), "seconds": 3600}))

    def answer(asked: Asked) -> None:
        is_new = asked.headers["authorization"] == "new-token-value"
        (page(posts(("a", "text"))) if is_new else refusal)(asked)

    # Another host than the others': a token is for one, and theirs must not be known here.
    host = f"http://localhost:{site.port}"
    site.pages |= {"/token": token, "/1": answer}
    source = _source(crawler, f"{host}/1")
    assert crawler.crawl(source).outcome == "ok"
    assert _shown(site.asked)[-2:] == ["old-token-value", "new-token-value"]
    site.pages["/1"] = refusal
    site.asked.clear()
    assert crawler.crawl(source).outcome == "auth"
    assert len(_shown(site.asked)) == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (page('{"why": "no such user"}'), "auth"),
        (page("<html>"), "auth"),
        (status("403 Forbidden"), "auth"),
        (redirect("http://localhost:1/token"), "auth"),
        (status("500 Oops"), "error"),
    ],
)
def test_a_log_in_that_gives_no_token_ends_the_run_in_words(
    answer: bad.Answer, outcome: str, keyed: tuple[Crawler, Site, Site]
) -> None:
    crawler, site, other = keyed
    site.pages["/token"] = answer
    site.pages["/1"] = page(posts(("a", "text")))
    before = other.connections
    # No other test leaves a token that lasts for this one.
    run = crawler.crawl(_source(crawler, f"{site.url}/1", credential="fresh"))
    assert "/1" not in site.paths()
    assert run.outcome == outcome, run.reason
    assert (other.connections - before, len(run.reason or "") > 10) == (0, True)


def test_a_token_that_ends_at_once_is_shown_and_asked_for_again(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/2"))
    site.pages["/2"] = page(posts(("b", "text")))
    run = crawler.crawl(_source(crawler, f"{site.url}/1", credential="fresh"))
    assert (run.outcome, run.reason) == ("ok", "2 posts, 2 new")
    assert [one.path.partition("?")[0] for one in site.asked] == ["/token", "/1", "/token", "/2"]
    assert _shown(site.asked) == [TOKEN] * 2


def test_a_token_that_another_run_lost_is_asked_for_again(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    given = iter(["token-of-before", "token-of-after", "token-of-never"])

    def slow(asked: Asked) -> None:
        if asked.headers["authorization"] == "token-of-before":
            time.sleep(1.5)  # the others wait for their turn meanwhile
        answer(asked)

    def answer(asked: Asked) -> None:
        is_new = asked.headers["authorization"] == "token-of-after"
        (page(posts(("a", "text"))) if is_new else status("401 Unauthorized"))(asked)

    def token(asked: Asked) -> None:
        asked.answer(body=json.dumps({"token": next(given), "seconds": 3600}))

    host = f"http://localhost:{site.port}"
    site.pages |= {"/token": token, "/0": page(posts(("a", "text"))), "/3": answer}
    site.pages |= {"/1": slow, "/2": slow}
    first, *others = (_source(crawler, f"{host}/{n}", credential="fresh") for n in range(4))
    assert crawler.crawl(first).outcome == "ok"
    for number, source in enumerate(others):
        crawler.send(source)
        while number == 0 and "/1" not in site.paths():
            time.sleep(0.01)
    assert {crawler.heard().error for _ in others} == {""}
    runs = [crawler.last_run(source) for source in others]
    assert [(run.outcome, run.posts_seen) for run in runs] == [("ok", 1)] * 3, runs[2].reason
    # The last in the line had a token when it logged in, and none when its turn came.
    assert [path.partition("?")[0] for path in site.paths()].count("/token") == 2
    assert _shown(site.asked).count("token-of-before") == 3


def test_a_redirect_to_another_host_takes_no_credential_along(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, other = keyed
    other.pages["/elsewhere"] = page(posts(("a", "text")))
    for shown in ("token", "query", "body"):
        other.asked.clear()
        site.pages["/1"] = lambda asked: asked.answer(
            "307 Temporary Redirect",
            "",
            Location=f"{other.url}/elsewhere?{asked.path.partition('?')[2]}",
        )
        assert crawler.crawl(_source(crawler, f"{site.url}/1", shown=shown)).outcome == "ok"
        (asked,) = [one for one in other.asked if one.path != "/robots.txt"]
        said = f"{asked.path} {asked.headers} {asked.body!r}"
        assert PASSWORD not in said
        assert TOKEN not in said


def test_a_key_in_the_address_is_in_no_post_and_no_reason(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    source = _source(crawler, f"{site.url}/1?q=x", shown="query")
    site.pages["/1"] = page(posts(("a", "text"), following=f"{site.url}/2"))
    site.pages["/2"] = page(b"x" * 2_000_000)
    run = crawler.crawl(source)
    assert (run.outcome, "larger" in (run.reason or "")) == ("error", True)
    assert site.asked[0].path == f"/1?q=x&key={PASSWORD}"
    for answer in (bad.truncated, bad.never_answers, bad.closes_at_once, bad.bad_gzip):
        site.pages["/2"] = answer
        assert crawler.crawl(source).outcome == "error"


def test_words_of_the_site_that_repeat_the_key_are_cut(keyed: tuple[Crawler, Site, Site]) -> None:
    crawler, site, _ = keyed
    site.pages["/1"] = lambda asked: asked.answer("400 Bad", f"expired key {asked.path}")
    run = crawler.crawl(_source(crawler, f"{site.url}/1", shown="query"))
    assert (run.outcome, "***" in (run.reason or "")) == ("auth", True), run.reason


def test_an_item_that_repeats_the_key_becomes_a_dead_letter_without_it(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    link = f"https://kavira.example/2?key={PASSWORD}"
    items = [{"id": "a", "text": "good"}, {"id": "b", "paging": {"next": link}}]
    site.pages["/1"] = page(json.dumps({"posts": items}))
    source = _source(crawler, f"{site.url}/1", shown="query")
    assert crawler.crawl(source).outcome == "ok"
    (letter,) = crawler.dead_letters(source)
    assert "key=***" in letter.detail["excerpt"]


def test_evidence_of_an_api_does_not_tell_how_to_reach_who_wrote(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    item = {"id": "a", "text": "good", "reviewer_email": "ana@kettles.example", "author_ip": "::7"}
    site.pages["/1"] = page(json.dumps({"posts": [item]}))
    source = _source(crawler, f"{site.url}/1")
    assert crawler.crawl(source).outcome == "ok"
    with Session(crawler.engine) as session:
        mine = select(RawAnswer).where(RawAnswer.source_id == source)
        (kept,) = session.scalars(mine)
    body = unpacked(kept.body, size_bytes=kept.size_bytes)
    assert json.loads(body)["posts"] == [item | {"reviewer_email": "***", "author_ip": "***"}]
    assert kept.sha256 == hashlib.sha256(body).digest()


def test_a_refused_token_is_no_less_a_secret(keyed: tuple[Crawler, Site, Site]) -> None:
    crawler, site, _ = keyed
    site.pages["/token"] = page(json.dumps({"token": TOKEN}))
    site.pages["/1"] = lambda asked: asked.answer("401 No", f"expired {TOKEN}")
    run = crawler.crawl(_source(crawler, f"{site.url}/1"))
    assert (run.outcome, "expired ***" in (run.reason or "")) == ("auth", True), run.reason


def test_a_body_is_posted_and_signed(keyed: tuple[Crawler, Site, Site]) -> None:
    crawler, site, _ = keyed
    site.pages["/1"] = page(posts(("a", "text")))
    assert crawler.crawl(_source(crawler, f"{site.url}/1", shown="body")).outcome == "ok"
    assert (site.asked[-1].method, site.asked[-1].body) == ("POST", f"|{PASSWORD}".encode())


def test_an_api_is_called_with_its_key_whatever_robots_txt_says_to_crawlers(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, other = keyed
    for one in (site, other):
        one.pages["/robots.txt"] = page("User-agent: *\nDisallow: /\n")
    site.pages["/1"] = page(posts(("a", "text")))
    source = _source(crawler, f"{site.url}/1", shown="body")
    assert crawler.crawl(source).outcome == "ok"
    # Where the key does not go, the agreement does not reach.
    fresh = f"http://localhost:{other.port}"
    site.pages["/1"] = redirect(f"{fresh}/2")
    run = crawler.crawl(source)
    assert (run.outcome, "robots.txt forbids" in (run.reason or "")) == ("blocked", True)
    assert other.paths() == []


def test_a_run_ends_where_the_quota_does_and_goes_on_there(
    keyed: tuple[Crawler, Site, Site],
) -> None:
    crawler, site, _ = keyed
    for number in range(1, 6):
        following = f"{site.url}/{number + 1}" if number < 5 else None
        site.pages[f"/{number}"] = page(posts((f"p{number}", "text"), following=following))
    source = _source(crawler, f"{site.url}/1", shown="query", bucket="three")
    run = crawler.crawl(source)
    assert (run.outcome, run.pages) == ("quota", 3)
    assert "3 of 3 units are spent" in (run.reason or "")
    assert len(site.paths()) == 3
    row = crawler.row(source)
    assert row.cursor == {}
    assert row.resume is not None
    assert row.failures == 0
    assert row.next_due_at is not None
    assert row.next_due_at > datetime.now(UTC)
    # The budget is of the credential, and so the next source has none either.
    again = _source(crawler, f"{site.url}/5", shown="query", bucket="three")
    assert crawler.crawl(again).outcome == "quota"
    assert len(site.paths()) == 3
    with Session(crawler.engine) as session:
        used = session.query(QuotaUse).filter_by(kind="keyed", bucket="three").one()
    assert (used.credential, used.used) == ("keyed", 3)
    _pay_back(crawler.engine)
    assert crawler.crawl(source).outcome == "ok"
    assert [one.partition("?")[0] for one in site.paths()] == [f"/{n}" for n in range(1, 6)]


def test_what_the_site_says_of_its_quota_is_believed(keyed: tuple[Crawler, Site, Site]) -> None:
    crawler, site, _ = keyed
    _pay_back(crawler.engine)
    site.pages["/1"] = lambda asked: asked.answer("403 Forbidden", "quota of the day")
    source = _source(crawler, f"{site.url}/1", shown="query", bucket="three")
    assert crawler.crawl(source).outcome == "quota"
    site.pages["/1"] = page(posts(("a", "text")))
    run: CrawlRun = crawler.crawl(source)
    assert (run.outcome, "the site said" in (run.reason or "")) == ("quota", True)
    assert len(site.paths()) == 1
    _pay_back(crawler.engine)


def _pay_back(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.query(QuotaUse).delete()


def test_parts_are_found_by_name_and_named_where_they_are_missing() -> None:
    config = KeyedConfig(url="http://x.example/")
    assert secrets_for(Keyed(), config, {"keyed": PARTS | {"other": "z"}}) == PARTS
    named = KeyedConfig(url="http://x.example/", credential="Desk")
    assert secrets_for(Keyed(), named, {"desk": PARTS}) == PARTS
    dashed = KeyedConfig(url="http://x.example/", credential="google-business")
    told = revealed({"google_business": {part: SecretStr(said) for part, said in PARTS.items()}})
    assert secrets_for(Keyed(), dashed, told) == PARTS
    with pytest.raises(AuthError, match=r"\[credentials\.keyed\] has no \"password\""):
        secrets_for(Keyed(), config, {"keyed": {"name": "x", "password": " "}})


def test_a_refused_token_does_not_end_a_newer_one() -> None:
    tokens, now = Tokens(), datetime(2026, 3, 2, tzinfo=UTC)
    key = ("keyed", "desk")
    tokens.put(key, Token(value="one"))
    held = tokens.get(key, now=now)
    assert held is not None
    tokens.put(key, Token(value="two", expires_at=now + timedelta(hours=1)))
    tokens.drop(key, serial=held[0])
    newer = tokens.get(key, now=now)
    assert newer is not None
    assert newer[1].value == "two"
    assert tokens.get(key, now=now + timedelta(minutes=59, seconds=30)) is None


def test_secrets_are_taken_out_of_words_however_they_are_written() -> None:
    assert hide("a s3cret/x b s3cret%2Fx", ["s3cret/x"]) == "a *** b ***"
    assert hide("a short one", ["short"]) == "a short one"
    assert hide(r"s3cret%2fx s3cret\/x", ["s3cret/x"]) == "*** ***"
    instance = "https://social.kavira.example"
    assert hide(f"{instance}/api", [instance]) == f"{instance}/api"


def test_a_greeting_carries_secrets_and_does_not_show_them() -> None:
    greeting = Greeting(
        database_url="postgresql://x:pw-canary@y/z",
        crawl=CrawlSection(),
        log=LogSection(),
        credentials=revealed({"Keyed": {"Password": SecretStr(PASSWORD)}}),
    )
    assert read_greeting(greeting_line(greeting)) == greeting
    assert greeting.credentials == {"keyed": {"password": PASSWORD}}
    assert PASSWORD not in repr(greeting)
    assert "pw-canary" not in repr(greeting)


def test_a_credential_of_the_wrong_shape_is_complained_about_without_its_value(
    tmp_path: Path,
) -> None:
    file = tmp_path / "settings.toml"
    for line in (f'youtube = "{PASSWORD}"', f'youtube = {{ api_key = ["{PASSWORD}"] }}'):
        file.write_text(f"[credentials]\n{line}\n")
        with pytest.raises(SettingsError) as caught:
            load_settings(file, env={})
        assert "credentials.youtube" in str(caught.value)
        assert PASSWORD not in str(caught.value)
