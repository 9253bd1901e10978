"""Scrapy's settings, with the defaults changed that do not fit a polite, guarded crawler."""

from __future__ import annotations

from typing import Any

from scrapy.settings import Settings
from scrapy.settings.default_settings import EXTENSIONS_BASE

from core.settings import CrawlSection

_OURS = {
    "crawlers.engine.guard.GuardMiddleware": 60,
    "crawlers.engine.robots.RobotsMiddleware": 100,
    "crawlers.engine.signing.SigningMiddleware": 110,
}
_UNUSED = (
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware",
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware",
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",
    # A proxy from the environment would resolve names for us, behind the guard's back.
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware",
    "scrapy.downloadermiddlewares.stats.DownloaderStats",
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",
)
_UNUSED_ON_THE_SPIDERS_SIDE = (
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware",
    # It drops a request without a word; a cursor in a URL may be long.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware",
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
)


def scrapy_settings(crawl: CrawlSection) -> Settings:
    """One crawl of one source, page after page."""
    return Settings(_values(crawl))


def _values(crawl: CrawlSection) -> dict[str, Any]:
    middlewares: dict[str, int | None] = {**_OURS, **dict.fromkeys(_UNUSED)}
    if not crawl.robots_obey:
        middlewares["crawlers.engine.robots.RobotsMiddleware"] = None
    client = "crawlers.engine.turns.PoliteHandler"
    return {
        "USER_AGENT": crawl.user_agent,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*"},
        "DOWNLOADER_MIDDLEWARES": middlewares,
        "SPIDER_MIDDLEWARES": dict.fromkeys(_UNUSED_ON_THE_SPIDERS_SIDE),
        "EXTENSIONS": dict.fromkeys(EXTENSIONS_BASE),
        "DOWNLOAD_HANDLERS": {
            "http": client, "https": client, "data": None, "file": None, "ftp": None, "s3": None,
        },
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
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "STATS_DUMP": False,
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
        "LOG_ENABLED": False,
    }  # fmt: skip
