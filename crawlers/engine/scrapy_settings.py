"""Scrapy's settings, with the defaults changed that do not fit a polite, guarded crawler."""

from __future__ import annotations

from typing import Any

from scrapy.settings import Settings

from core.settings import CrawlSection

_THEIRS = "scrapy.downloadermiddlewares"
#: All that stands between us and the network, by distance from us. Scrapy's own list would load
#: what is switched off, too: a console, cookies and a second HTTP client, for two seconds. No proxy
#: of the environment: it would resolve names for us, behind the guard's back.
_ON_THE_WAY = {
    "crawlers.engine.guard.GuardMiddleware": 60,
    "crawlers.engine.robots.RobotsMiddleware": 100,
    "crawlers.engine.signing.SigningMiddleware": 110,
    f"{_THEIRS}.downloadtimeout.DownloadTimeoutMiddleware": 350,
    f"{_THEIRS}.defaultheaders.DefaultHeadersMiddleware": 400,
    f"{_THEIRS}.useragent.UserAgentMiddleware": 500,
    f"{_THEIRS}.retry.RetryMiddleware": 550,
    f"{_THEIRS}.httpcompression.HttpCompressionMiddleware": 590,
    f"{_THEIRS}.redirect.RedirectMiddleware": 600,
}
#: None that drops a long address without a word: a cursor in it may be long.
_ON_THE_SPIDERS_SIDE = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": 25,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": 700,  # so that nothing of it is sent
}


def scrapy_settings(crawl: CrawlSection) -> Settings:
    """One crawl of one source, page after page."""
    return Settings(_values(crawl))


def _values(crawl: CrawlSection) -> dict[str, Any]:
    on_the_way = dict(_ON_THE_WAY)
    if not crawl.robots_obey:
        del on_the_way["crawlers.engine.robots.RobotsMiddleware"]
    client = "crawlers.engine.turns.PoliteHandler"
    return {
        "USER_AGENT": crawl.user_agent,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*"},
        "DOWNLOADER_MIDDLEWARES_BASE": on_the_way,
        "SPIDER_MIDDLEWARES_BASE": _ON_THE_SPIDERS_SIDE,
        "EXTENSIONS_BASE": {},
        "DOWNLOAD_HANDLERS_BASE": {"http": client, "https": client},
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_TIMEOUT": crawl.timeout_seconds,
        "DOWNLOAD_MAXSIZE": crawl.max_body_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        # Pauses and turns are kept over all crawls of the process, by the client above.
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 2,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "RETRY_TIMES": 1,
        # Not 429 and 503: those say when to come again, and the run ends with that.
        "RETRY_HTTP_CODES": [408, 500, 502, 504, 522, 524],
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",
        "REDIRECT_MAX_TIMES": 5,
        "REFERRER_POLICY": "no-referrer",
        "STATS_DUMP": False,
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
        "LOG_ENABLED": False,
    }  # fmt: skip
