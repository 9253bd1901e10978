"""A site whose certificate is not valid is not read, and the run says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.models import CrawlRun
from tests.crawlers.certificates import Authority
from tests.crawlers.conftest import Crawler, child
from tests.crawlers.site import page, posts, serving

Secured = Callable[[tuple[Path, Path]], tuple[Crawler, int, CrawlRun]]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The only one that a child of this test trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
def crawled(engine: Engine, database_url: str) -> Iterator[Secured]:
    """Crawl a good page behind a certificate, once, as ``https://localhost``."""
    with ExitStack() as open_:

        def crawl(certificate: tuple[Path, Path]) -> tuple[Crawler, int, CrawlRun]:
            site = open_.enter_context(serving(certificate=certificate))
            site.pages["/1"] = page(posts(("a", "text")))
            crawler = open_.enter_context(child(engine, database_url, site))
            source = crawler.source(f"https://localhost:{site.port}/1")
            return crawler, source, crawler.crawl(source)

        yield crawl


def test_a_valid_certificate_is_no_obstacle(authority: Authority, crawled: Secured) -> None:
    crawler, source, run = crawled(authority.vouch("localhost"))
    assert (run.outcome, crawler.texts(source)) == ("ok", ["text"]), run.reason


BAD: dict[str, tuple[Callable[[Authority], tuple[Path, Path]], str]] = {
    "self-signed": (
        lambda by: by.vouch("localhost", signs_itself=True),
        "it has expired, is self-signed,",
    ),
    "expired": (lambda by: by.vouch("localhost", days=-1), "it has expired, is self-signed,"),
    "another name": (lambda by: by.vouch("other.example"), "it is for another name"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_certificate_ends_the_run_and_nothing_is_kept(
    name: str, authority: Authority, crawled: Secured
) -> None:
    certificate, reason = BAD[name]
    crawler, source, run = crawled(certificate(authority))
    assert run.outcome == "error"
    assert "the TLS certificate is not valid" in (run.reason or "")
    assert reason in (run.reason or "")
    assert (run.pages, crawler.texts(source), crawler.row(source).cursor) == (0, [], {})
