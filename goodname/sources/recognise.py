"""What a page is, by what it says of itself: a feed, marked-up reviews, a known software."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from core.errors import GoodnameError
from crawlers.contract import Fetched, Spider
from crawlers.errors import CrawlError
from crawlers.reading.answers import read
from crawlers.reading.markup import tree_of
from crawlers.reading.web_address import joined
from goodname.sources.claims import Guess, by_address

#: Marks of a software in a page, the kinds that read its pages, and whether they want the address
#: of the page or of the whole site.
_SOFTWARE: Final = (
    ("Discourse", re.compile(r'name="generator"[^<>]{0,300}content="Discourse', re.I),
     ("discourse",)),
    ("NodeBB", re.compile(r'content="NodeBB|\bnodebb\b', re.I), ("nodebb",)),
    ("phpBB", re.compile(r'id="phpbb"|Powered by[^<]{0,20}<a[^<>]{0,300}>phpBB', re.I), ("phpbb",)),
    ("XenForo", re.compile(r'<html[^<>]{0,500}id="XF"|data-xf-init', re.I), ("xenforo",)),
    ("vBulletin", re.compile(r'content="vBulletin|id="post_message_', re.I), ("vbulletin",)),
    ("WooCommerce", re.compile(r'content="WooCommerce|\bclass="[^"<>]{0,500}\bwoocommerce\b', re.I),
     ("woocommerce",)),
    ("WordPress", re.compile(r'content="WordPress|/wp-content/', re.I),
     ("wordpress-page", "wordpress")),
)  # fmt: skip
_OF_SITE: Final = frozenset({"discourse", "nodebb", "woocommerce", "wordpress"})
#: Where a page is said to be from that was saved, and nobody says from where.
SAVED_HOST: Final = "saved.example"
_OWN_ADDRESS: Final = (
    'link[rel~="canonical"]::attr(href)',
    'meta[property="og:url"]::attr(content)',
)
_LONGEST_ADDRESS: Final = 2_000
_FEED: Final = 'link[rel="alternate"][type*="rss"], link[rel="alternate"][type*="atom"]'


def recognise(fetched: Fetched, known: Mapping[str, Spider]) -> Guess:
    """The first kind that can read this page, or that the page points to.

    ``GoodnameError`` says what was tried, when nothing fits.
    """
    if guess := by_address(fetched.url, known):
        return guess
    if guess := _by_own_word(fetched, known):
        return guess
    said: list[str] = []
    for guess in _guesses(fetched, known):
        problem = _reads(known[guess.kind], guess.params, fetched)
        if not problem:
            return guess  # it reads this page, or would ask for another one
        said.append(f"{guess.kind}: {problem}")
    tried = "".join(f"\n  {one}" for one in said)
    raise GoodnameError(
        "not recognised: neither a feed nor marked-up reviews nor a known software; name --kind"
        f" with its --params, or write a file of the site and try it by --site.{tried}"
    )


def _by_own_word(fetched: Fetched, known: Mapping[str, Spider]) -> Guess | None:
    """The kind that owns the address which a saved page gives as its own, and reads the page.

    A page that was fetched has its address from there, and not from what it says.
    """
    if urlsplit(fetched.url).hostname != SAVED_HOST:
        return None
    for url in _own_addresses(fetched):
        guess = by_address(url, known)
        if guess is None:
            continue
        spider = known[guess.kind]
        start = spider.start(spider.config.model_validate(dict(guess.params)), cursor={})
        if _reads(spider, guess.params, replace(fetched, url=start.url)) == "":
            why = f"the page gives {url} as its address, which is of {guess.kind}"
            return replace(guess, why=why)
    return None


def _own_addresses(fetched: Fetched) -> Iterator[str]:
    """What a page says that its address is, the surest first."""
    try:
        tree = tree_of(read(fetched))
    except CrawlError:
        return
    for where in _OWN_ADDRESS:
        for address in tree.css(where).getall()[:1]:
            if len(address) <= _LONGEST_ADDRESS:
                yield address.strip()


def _guesses(fetched: Fetched, known: Mapping[str, Spider]) -> Iterator[Guess]:
    url = fetched.url
    parts = urlsplit(url)
    yield Guess(kind="feed", params={"url": url}, why="it is a feed")
    text = read(fetched)
    if "schema-org" in known:
        why = "it marks its reviews up for search engines (schema.org)"
        yield Guess(kind="schema-org", params={"url": url}, why=why)
    for software, mark, kinds in _SOFTWARE:
        if not mark.search(text[:500_000]):
            continue
        for kind in kinds:
            if kind in known:
                of = f"{parts.scheme}://{parts.netloc}" if kind in _OF_SITE else url
                yield Guess(kind=kind, params={"url": of}, why=f"it is a site of {software}")
    for link in tree_of(text).css(_FEED):
        if feed := joined(url, link.attrib.get("href")):
            yield Guess(
                kind="feed", params={"url": feed}, why="the page names this feed as its own"
            )


def _reads(spider: Spider, params: Mapping[str, Any], fetched: Fetched) -> str | None:
    """Empty when it reads posts here, else why not; None when it would ask for another address."""
    try:
        config = spider.config.model_validate(dict(params))
        if _bare(spider.start(config, cursor={}).url) != _bare(fetched.url):
            return None
        page = spider.parse(fetched, config, cursor={}, ahead={})
    except (CrawlError, ValueError) as error:
        return str(error).splitlines()[0]
    is_whole_feed = spider.kind == "feed" and page.announced == 0
    return "" if page.posts or is_whole_feed else "no post on the page"


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path.rstrip('/')}?{parts.query}"
