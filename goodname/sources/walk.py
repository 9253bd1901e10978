"""Read a source page by page, as a run does, but to look at it and without a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.settings import Settings
from crawlers.contract import Cursor, Family, Fetched, Page, Request, Secrets, Spider, Token
from crawlers.credentials import revealed, secrets_for
from crawlers.errors import CrawlError
from goodname.sources.fetch import Hand
from goodname.sources.ledger import Spend, nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One page of a walk: what was asked, what came, and what was read or why not."""

    request: Request
    fetched: Fetched
    ahead: Cursor  #: as the page was read with
    page: Page | None = None
    error: CrawlError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What signs the requests of a walk; never shown."""

    secrets: Secrets
    token: Token | None = None

    @property
    def words(self) -> list[str]:
        """Everything that must not be kept."""
        return [*self.secrets.values(), *([self.token.value] if self.token else [])]


def credential_of(
    spider: Spider, config: Any, settings: Settings, hand: Hand, *, spend: Spend = nothing
) -> Credential:
    """What the settings hold for a source, logged in where the site wants that."""
    if not spider.secrets:
        return Credential(secrets={})
    secrets = secrets_for(spider, config, revealed(settings.credentials))
    request = spider.log_in(config, secrets)
    if request is None:
        return Credential(secrets=secrets)
    spend(request)
    fetched = hand.fetch(request, is_by_agreement=_is_api(spider), is_log_in=True)
    return Credential(secrets=secrets, token=spider.read_token(fetched))


def walk(
    spider: Spider,
    config: Any,
    hand: Hand,
    *,
    credential: Credential,
    zone: str = "UTC",
    most_pages: int = 1,
    spend: Spend = nothing,
) -> Iterator[Visit]:
    """Visit the first pages; the last visit holds the error that ended it, if one did.

    ``spend`` hears of each request before it is sent.
    """
    request: Request | None = spider.start(config, cursor={})
    ahead: Cursor = {}
    for _ in range(most_pages):
        if request is None:
            return
        sign = partial(_signed, spider=spider, config=config, credential=credential)
        spend(request)
        fetched = hand.fetch(
            request, sign=sign, zone=zone, is_by_agreement=_is_api(spider), hear=spider.hear
        )
        visit = read(spider, config, request, fetched, ahead=ahead)
        yield visit
        if visit.page is None:
            return
        request, ahead = visit.page.next, visit.page.ahead


def read(
    spider: Spider, config: Any, request: Request, fetched: Fetched, *, ahead: Mapping[str, Any]
) -> Visit:
    """Let the spider read an answer."""
    page, error = None, None
    try:
        if not 200 <= fetched.status < 300 and (said := spider.explain(fetched, config)):
            raise said
        page = spider.parse(fetched, config, cursor={}, ahead=ahead)
    except CrawlError as caught:
        error = caught
    return Visit(request=request, fetched=fetched, ahead=ahead, page=page, error=error)


def _is_api(spider: Spider) -> bool:
    return spider.family is Family.JSON_API and bool(spider.secrets)


def _signed(request: Request, *, spider: Spider, config: Any, credential: Credential) -> Request:
    return spider.sign(request, config, credential.secrets, token=credential.token)
