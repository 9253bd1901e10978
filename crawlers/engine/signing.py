"""Credentials on their way out: requests are signed and counted in the client, at the last moment.

What Scrapy carries, logs and follows is the unsigned request. So a redirect to another host takes
nothing along, and nothing that is kept holds a secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit, urlunsplit

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from core.public_address import address_secrets, public_url
from crawlers import quota
from crawlers.contract import (
    Family,
    Fetched,
    Page,
    Problem,
    Request,
    Secrets,
    Spider,
    Token,
)
from crawlers.credentials import credential_name, hide
from crawlers.engine.answers import refusal
from crawlers.engine.headers import plain_headers
from crawlers.engine.verdict import EndedError
from crawlers.errors import AuthError, CrawlError, QuotaError
from crawlers.quota import Account

if TYPE_CHECKING:
    from crawlers.engine.office import Office
    from crawlers.engine.run import Run

_LOG_IN = "log_in"
_SERIAL = "token_serial"
_IS_RENEWED = "is_renewed"
_IS_SENT_AGAIN = "is_sent_again"
Send = Callable[[scrapy.Request], Awaitable[Response]]


class TokenLostError(AuthError):
    """The token was refused to another run while a request of this one waited for its turn."""


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a credential was given to."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


@dataclass(slots=True, kw_only=True)
class Signing:
    """The credential of one run."""

    office: Office
    source_id: int
    spider: Spider
    config: Any
    secrets: Secrets = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)  #: of the source, as they stand
    _key: tuple[str, ...] | None = None  #: of the token
    _shown: list[str] = field(default_factory=list, repr=False)  #: tokens, refused ones too

    def is_ours(self, request: scrapy.Request) -> bool:
        """Whether a request goes where the spider sent it, and so carries the credential."""
        asked = request.cb_kwargs.get("asked")
        is_same = asked is not None and origin(asked.url) == origin(request.url)
        return bool(self.spider.secrets) and is_same

    def is_by_agreement(self, request: scrapy.Request) -> bool:
        """Whether robots.txt does not speak to it: an API called with the operator's own key.

        robots.txt is for crawlers that follow links. Whoever gives out keys says elsewhere who
        may call what, and how often.
        """
        is_api = self.spider.family is Family.JSON_API and bool(self.spider.secrets)
        return is_api and (_LOG_IN in request.meta or self.is_ours(request))

    async def log_in(self, send: Send, *, url: str) -> None:
        """Have a token, if the site gives tokens; ``url`` is where it will be shown."""
        login = await self._code(lambda: self.spider.log_in(self.config, self.secrets))
        if login is None:
            return
        # One credential may serve several instances of a software: each gets its own token.
        name = credential_name(self.spider, self.config)
        self._key = (self.spider.kind, name, *map(str, origin(url)), *map(str, origin(login.url)))
        async with self.office.tokens.lock(self._key):
            if self.office.tokens.get(self._key, now=self.office.clock()) is None:
                self.office.tokens.put(self._key, await self._new_token(send, login))

    async def _new_token(self, send: Send, login: Request) -> Token:
        bare = urlunsplit(urlsplit(login.url)._replace(query="", fragment=""))
        meta = {_LOG_IN: login, "dont_redirect": True, "dont_retry": True}
        answer = await send(
            scrapy.Request(bare, method=login.method, callback=NO_CALLBACK, meta=meta)
        )
        fetched = self._fetched(answer, login)
        now = fetched.fetched_at
        refused = refusal(answer.status, fetched.headers, url=bare, now=now)
        if refused is not None and (answer.status == 429 or answer.status >= 500):
            raise EndedError(replace(refused, reason=f"log-in: {refused.reason}"))
        try:
            return await self.office.parse(self.source_id, lambda: self.spider.read_token(fetched))
        except CrawlError:
            raise
        except Exception as error:
            # Its words may repeat what was sent.
            reason = f"the log-in gave no token (HTTP {answer.status}, {type(error).__name__})"
            raise AuthError(f"{reason} ({bare})") from None

    async def ready(self, request: scrapy.Request) -> scrapy.Request:
        """The request as it is sent: signed, and counted. ``QuotaError`` when it may not be."""
        login = request.meta.get(_LOG_IN)
        if login is not None:
            await self._spend(login)
            return _as_sent(request, login)
        asked = request.cb_kwargs.get("asked")
        if asked is None or origin(asked.url) != origin(request.url):
            return request
        if self.spider.secrets:
            plain = replace(
                asked, url=request.url, method=request.method, body=request.body.decode("utf-8")
            )
            request = _as_sent(request, await self._signed(plain, request))
        await self._spend(asked)
        return request

    async def _signed(self, plain: Request, request: scrapy.Request) -> Request:
        token: Token | None = None
        if self._key is not None:
            # One that ended while the request waited for its turn, or lasts for seconds only, is
            # shown too: the site decides, and a refusal is renewed.
            held = self.office.tokens.newest(self._key)
            if held is None:
                raise TokenLostError(f"the token was refused to another run ({plain.url})")
            request.meta[_SERIAL], token = held
            if token.value not in self._shown:
                self._shown.append(token.value)
        signed: Request = await self._code(
            lambda: self.spider.sign(plain, self.config, self.secrets, token=token)
        )
        if origin(signed.url) != origin(plain.url):
            raise AuthError(f"the credential was to be shown to another host ({plain.url})")
        return signed

    async def _code(self, work: Callable[[], Any]) -> Any:
        """Run the spider's code that sees secrets: what it raises is not repeated."""
        try:
            return await self.office.parse(self.source_id, work)
        except CrawlError:
            raise
        except Exception as error:
            raise AuthError(f"the credential cannot be used ({type(error).__name__})") from None

    async def _spend(self, asked: Request) -> None:
        budget = self.spider.quotas.get(asked.bucket)
        if budget is None or asked.cost <= 0:
            return
        account, now = self._account(asked), self.office.clock()
        await self.office.write(
            lambda session: quota.spend(session, account, budget, cost=asked.cost, now=now)
        )

    async def close_quota(self, asked: Request, error: QuotaError) -> QuotaError:
        """Count the site's own word that nothing is left; the error with a time to come back."""
        budget, now = self.spider.quotas.get(asked.bucket), self.office.clock()
        if budget is None:
            return error
        account = self._account(asked)
        until = await self.office.write(
            lambda session: quota.close(session, account, budget, until=error.until, now=now)
        )
        return QuotaError(str(error), until=until)

    def _account(self, asked: Request) -> Account:
        name = credential_name(self.spider, self.config)
        return Account(self.spider.kind, name, asked.bucket)

    def unsigned(self, answer: Response, request: scrapy.Request) -> Response:
        """An answer as if the request had not been signed."""
        location = answer.headers.get("Location")
        if location is not None and self.spider.secrets:
            answer.headers["Location"] = hide(location.decode("latin-1"), self._credential)
        return answer.replace(url=request.url, request=None)

    def hidden(self, text: str) -> str:
        """Words without the secrets that a site may have repeated."""
        known = [*self._credential, *address_secrets(self.params)]
        return hide(text, known) if known else text

    @property
    def _credential(self) -> list[str]:
        return [*self.secrets.values(), *self._shown] if self.spider.secrets else []

    def public(self, page: Page) -> Page:
        """A page as it is kept: a post without an own address has that of its source."""
        posts = page.posts
        if address_secrets(self.params):
            posts = tuple(replace(post, url=public_url(post.url)) for post in posts)
        problems = tuple(self.without_secrets(one) for one in page.problems)
        return replace(page, posts=posts, problems=problems)

    def without_secrets(self, problem: Problem) -> Problem:
        """A dead letter without them: items hold links to their own next pages."""
        return replace(
            problem,
            reason=self.hidden(problem.reason),
            url=self.hidden(problem.url),
            excerpt=self.hidden(problem.excerpt),
        )

    async def is_refused(self, answer: Response, request: scrapy.Request) -> bool:
        """Whether the site no longer takes the token that a request showed."""
        if self._key is None or _SERIAL not in request.meta or answer.status < 400:
            return False
        is_refused = answer.status == 401
        if not is_refused:
            fetched = self._fetched(answer, request.cb_kwargs["asked"])
            said = await self._code(lambda: self.spider.explain(fetched, self.config))
            is_refused = isinstance(said, AuthError)
        if is_refused:
            self.office.tokens.drop(self._key, serial=request.meta[_SERIAL])
        return is_refused

    def _fetched(self, answer: Response, asked: Request) -> Fetched:
        return Fetched(
            url=answer.url,
            status=answer.status,
            headers=plain_headers(answer),
            body=answer.body,
            fetched_at=self.office.clock(),
            state=asked.state,
        )


def _as_sent(request: scrapy.Request, signed: Request) -> scrapy.Request:
    """A request for the wire alone."""
    headers = request.headers.copy()
    for name, value in signed.headers.items():
        headers[name] = value
    return request.replace(
        url=signed.url, method=signed.method, headers=headers, body=signed.body.encode()
    )


class SigningMiddleware:
    """Logs in before the first signed request, and once more when a token is refused or lost."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        run: Run = cast("Any", crawler.spider).run
        self._signing = run.signing

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SigningMiddleware:
        """Built by Scrapy for each crawl."""
        return cls(crawler)

    async def process_request(self, request: scrapy.Request) -> None:
        """Raises ``CrawlError``, which ends the run, when the site gives no token."""
        if self._signing.is_ours(request):
            await self._signing.log_in(self._send, url=request.url)

    async def process_response(
        self, request: scrapy.Request, response: Response
    ) -> Response | scrapy.Request:
        """Ask again with a new token, once."""
        if not self._signing.is_ours(request):
            return response
        if not await self._signing.is_refused(response, request) or _IS_RENEWED in request.meta:
            return response
        return request.replace(meta={**request.meta, _IS_RENEWED: True}, dont_filter=True)

    def process_exception(
        self, request: scrapy.Request, exception: Exception
    ) -> scrapy.Request | None:
        """Log in and ask again, once, where the token was lost before it could be shown."""
        if not isinstance(exception, TokenLostError) or _IS_SENT_AGAIN in request.meta:
            return None
        return request.replace(meta={**request.meta, _IS_SENT_AGAIN: True}, dont_filter=True)

    async def _send(self, request: scrapy.Request) -> Response:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - Scrapy has one while it crawls
        return await engine.download_async(request)
