"""Which kind an address belongs to: hosts that everybody knows, and what sites' files claim."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from crawlers.contract import Spider
from crawlers.declared.spider import DeclaredSpider


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A kind that an address or a page may be of."""

    kind: str
    params: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Addresses of a kind; the named groups of the pattern are params."""

    kind: str
    pattern: str
    example: str  #: an address that it takes; the tests try it
    fixed: Mapping[str, Any] = field(default_factory=dict)


_WEB: Final = r"^https?://(?:www\.)?"
CLAIMS: Final = (
    Claim("trustpilot", r"^https?://(?:[a-z]{2,3}\.)?trustpilot\.com/review/(?P<domain>[^/?#]+)",
          "https://www.trustpilot.com/review/kavira.example?page=2"),
    Claim("appstore", r"^https?://apps\.apple\.com/(?P<country>[a-z]{2})/app/(?:[^/]+/)?id(?P<app_id>\d+)",
          "https://apps.apple.com/pl/app/kavira/id1234567890"),
    Claim("googleplay", r"^https?://play\.google\.com/store/apps/details\?(?:.*&)?id=(?P<app_id>[\w.]+)",
          "https://play.google.com/store/apps/details?hl=en&id=example.kavira.app"),
    Claim("telegram", r"^https?://(?:www\.)?t\.me/(?:s/)?(?P<channel>[A-Za-z]\w{3,31})(?:[/?#]|$)",
          "https://t.me/s/kavira_news"),
    Claim("youtube-channel", _WEB + r"youtube\.com/channel/(?P<channel_id>UC[\w-]{22})",
          "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv"),
    Claim("bbb-reviews", r"^(?P<profile>https?://(?:www\.)?bbb\.org/[a-z]{2}/[a-z]{2}/[^?#]*/profile/[^?#]+?)/customer-reviews",
          "https://www.bbb.org/us/tx/austin/profile/kettles/kavira-0825-1000123/customer-reviews"),
    Claim("bbb", r"^(?P<profile>https?://(?:www\.)?bbb\.org/[a-z]{2}/[a-z]{2}/[^?#]*/profile/[^/?#]+/[^/?#]+)",
          "https://www.bbb.org/us/tx/austin/profile/kettles/kavira-0825-1000123/complaints"),
    Claim("consumeraffairs", r"^(?P<url>https?://(?:www\.)?consumeraffairs\.com/[^?#]+\.html)",
          "https://www.consumeraffairs.com/homeowners/kavira.html?page=2"),
    Claim("complaintsboard", r"^(?P<url>https?://(?:www\.)?complaintsboard\.com/[^?#]+)",
          "https://www.complaintsboard.com/kavira-b123456"),
    Claim("pissedconsumer", r"^https?://(?!www\.)(?P<firm>[a-z0-9-]+)\.pissedconsumer\.com",
          "https://kavira.pissedconsumer.com/review.html"),
    Claim("ripoffreport", _WEB + r"ripoffreport\.com/reports/specific_search/(?P<search>[^/?#]+)",
          "https://www.ripoffreport.com/reports/specific_search/kavira"),
    Claim("reddit-feed", r"^https?://(?:www\.|old\.)?reddit\.com/r/(?P<subreddit>\w{2,21})",
          "https://www.reddit.com/r/kavira/new/"),
    Claim("mastodon", r"^(?P<instance>https?://[^/]+)/tags/(?P<tag>\w+)$",
          "https://mastodon.example/tags/kavira"),
)  # fmt: skip


def by_address(url: str, known: Mapping[str, Spider]) -> Guess | None:
    """The kind whose address this is; None where only the page can tell."""
    for kind, pattern, fixed in _all_claims(known):
        found = re.match(pattern, url)
        if found and kind in known:
            params = {key: value for key, value in found.groupdict().items() if value}
            guess = Guess(kind=kind, params=params | dict(fixed), why="known by its address")
            if _fits(known[kind], guess.params):
                return guess
    return None


def _all_claims(known: Mapping[str, Spider]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for spider in known.values():
        if isinstance(spider, DeclaredSpider):
            for pattern in spider.site.claims:
                yield spider.kind, pattern, {}
    for claim in CLAIMS:
        yield claim.kind, claim.pattern, claim.fixed


def _fits(spider: Spider, params: Mapping[str, Any]) -> bool:
    try:
        spider.config.model_validate(dict(params))
    except ValueError:
        return False
    return True
