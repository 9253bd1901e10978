"""Fetch a page by hand: through the guarded client, robots.txt obeyed, credentials signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx

from core.address import DEFAULT_PORTS, AddressGuard
from core.errors import AddressRefused, GoodnameError
from core.http import guarded_client
from core.settings import CrawlSection
from crawlers.contract import Fetched, Hear, Request
from crawlers.engine.answers import silence
from crawlers.engine.guard import GuardedLookUp
from crawlers.engine.robots import Rules, read_rules
from crawlers.engine.stream import LONGEST_PAGE, listen
from crawlers.errors import BlockedError, CrawlError

_MOST_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
Sign = Callable[[Request], Request]
Ears = Callable[..., Hear]  #: ``Spider.hear``


@dataclass(slots=True)
class Hand(AbstractContextManager["Hand"]):
    """Fetches one page after the other, with the site's pause between them."""

    settings: CrawlSection
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _client: httpx.Client | None = None
    _robots: dict[str, Rules] = field(default_factory=dict)
    _has_asked: bool = False

    def __enter__(self) -> Hand:
        """Open the client."""
        self._client = guarded_client(
            AddressGuard.opening(self.settings.allowed_addresses),
            timeout=self.settings.timeout_seconds,
            max_body_bytes=self.settings.max_body_bytes,
            user_agent=self.settings.user_agent,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._client is not None:
            self._client.close()

    def fetch(
        self,
        request: Request,
        *,
        sign: Sign = lambda request: request,
        zone: str = "UTC",
        is_by_agreement: bool = False,
        is_log_in: bool = False,
        hear: Ears = lambda *_, **__: Hear.KEEP,
    ) -> Fetched:
        """The answer after redirects; ``CrawlError`` says why there is none.

        A log-in holds the credential itself and follows no redirect.

        A credential goes only to the host that was asked first. An API ``is_by_agreement`` when
        it is called with the operator's own key: robots.txt does not speak to that.
        """
        try:
            asked, home = request, urlsplit(request.url)[:2]
        except ValueError as error:
            raise CrawlError(f"{request.url[:200]} is no address: {error}") from None
        for _ in range(_MOST_HOPS + 1):
            is_home = urlsplit(asked.url)[:2] == home
            if not (is_by_agreement and is_home):
                self._check_robots(asked.url)
            sent = sign(asked) if is_home else asked
            response = self._listen(sent, hear) if asked.is_stream else self._send(sent)
            target = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not target or is_log_in:
                return Fetched(
                    url=asked.url,
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=response.content,
                    fetched_at=self.clock(),
                    time_zone=zone,
                    state=request.state,
                )
            asked = replace(asked, url=urljoin(asked.url, target), method="GET", body="")
        raise CrawlError(f"more than {_MOST_HOPS} redirects from {request.url}")

    def _check_robots(self, url: str) -> None:
        if not self.settings.robots_obey:
            return
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._robots:
            answer = self._send(Request(url=f"{site}/robots.txt"), is_robots=True)
            self._robots[site] = read_rules(answer.status_code, answer.content)
        agent = self.settings.user_agent.split("/")[0].strip()
        if not self._robots[site].allow(url, agent=agent):
            raise BlockedError(f"robots.txt forbids it ({url})")

    def _wait(self) -> None:
        if self._has_asked:
            self.pause(self.settings.delay_seconds)
        self._has_asked = True

    def _listen(self, request: Request, hear: Ears) -> httpx.Response:
        """A page of a stream, as if it were an answer."""
        settings, url = self.settings, request.url
        guard = AddressGuard.opening(settings.allowed_addresses)
        look_up = GuardedLookUp(guard)
        limit = min(settings.max_body_bytes, LONGEST_PAGE)
        self._wait()
        try:
            place = guard.check_url(url)
            heard = asyncio.run(
                listen(
                    url,
                    headers={"User-Agent": settings.user_agent, **request.headers},
                    hear=partial(hear, asked=request, asked_at=self.clock()),
                    look_up=look_up,
                    seconds=settings.timeout_seconds,
                    limit=limit,
                )
            )
        except AddressRefused as error:
            raise _refused(error, url) from None
        except CrawlError:
            raise
        except Exception as error:
            if refused := look_up.refusal(place.host, place.port):
                raise _refused(refused, url) from None
            told = silence(error, url=url, timeout=settings.timeout_seconds, limit=limit)
            raise CrawlError(told.reason) from None
        return httpx.Response(heard.status, headers=dict(heard.headers), content=heard.body)

    def _send(self, request: Request, *, is_robots: bool = False) -> httpx.Response:
        if self._client is None:
            raise RuntimeError("not opened")
        self._wait()
        try:
            return self._client.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body.encode() or None,
                follow_redirects=is_robots,  # as RFC 9309 has it; every hop is guarded
            )
        except AddressRefused as error:
            raise _refused(error, request.url) from None
        except (httpx.HTTPError, httpx.InvalidURL, GoodnameError) as error:
            what = "robots.txt unreachable: " if is_robots else ""
            said = str(error) or type(error).__name__
            raise CrawlError(f"{what}no whole answer from {_host(request.url)}: {said}") from None


def _refused(why: object, url: str) -> BlockedError:
    """Why an address is not dialled, and how its operator opens it, if it can be opened."""
    return BlockedError(f"not fetched: {why}{_how_to_open(why, url)}")


def _how_to_open(why: object, url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
        pair = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        AddressGuard.opening([pair]).check_url(url)
    except (AddressRefused, ValueError):
        return ""
    # Where another host is named, a redirect led there.
    opens = f'; a site of your own is opened by [crawl] allowed_addresses = ["{pair}"]'
    return opens if str(why).startswith(host) else ""


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
