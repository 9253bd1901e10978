"""JSON Feed (versions 1 and 1.1) as the same list of entries as XML feeds."""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.errors import DriftError
from crawlers.reading.json_body import Json, at, listed, name_of, parse_json, words
from crawlers.reading.markup import text_of, tidy
from crawlers.reading.syndication import Entries, Entry, Feed


def read_json(text: str) -> Feed:
    """Read a JSON Feed; ``DriftError`` when it is other JSON."""
    data = parse_json(text, what="the feed")
    if not isinstance(data, Mapping) or not isinstance(data.get("items"), list):
        raise DriftError("the JSON is no feed: it has no list of items")
    return Feed(
        entries=Entries(data["items"], _entry),
        language=words(data.get("language")) or "",
        author=_author(data),
    )


def _entry(item: Json) -> Entry:
    html, plain = words(at(item, "content_html")), words(at(item, "content_text"))
    return Entry(
        guid=name_of(at(item, "id")) or "",
        link=words(at(item, "url")) or words(at(item, "external_url")) or "",
        title=tidy(words(at(item, "title")) or ""),
        text=text_of(html) if html else tidy(plain or words(at(item, "summary")) or ""),
        author=_author(item),
        published=words(at(item, "date_published")) or "",
        updated=words(at(item, "date_modified")) or "",
        language=words(at(item, "language")) or "",
        categories=tuple(filter(None, map(words, listed(at(item, "tags"))))),
        raw=repr(item)[:500],
    )


def _author(item: Json) -> str:
    first = next(iter(listed(at(item, "authors"))), None)
    return words(at(first, "name")) or words(at(item, "author", "name")) or ""
