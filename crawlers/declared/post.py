"""One item of a declared site, read by its rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from core.types import Post
from crawlers.contract import Fetched
from crawlers.declared.pick import Item
from crawlers.declared.site import IdRule, RatingRule, Rule, Site
from crawlers.declared.template import filled
from crawlers.errors import ParseError
from crawlers.reading.dates import ReadDate, first_date
from crawlers.reading.json_body import known, words
from crawlers.reading.numbers import whole_number
from crawlers.reading.web_address import joined

_DECIMAL = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")


def post_of(item: Item, site: Site, fetched: Fetched, config: Any) -> Post | None:
    """Read an item; ``ParseError`` without id or text, None for one that is skipped."""
    if any(item.has(selector) for selector in site.skip):
        return None
    fields = site.fields
    external_id = id_of(item, fields.id, site=site)
    if external_id is None:
        raise _lacking("id", item, fetched)
    text, title = item.all(fields.text), item.first(fields.title)
    if not text and not title:
        raise _lacking("text", item, fetched)
    published_at, quality = _date(item, fields.date, site, fetched)
    rating = _rating(item, fields.rating)
    return Post(
        external_id=external_id,
        text=text,
        title=title,
        url=_address(item, external_id, site, fetched, config),
        kind=site.posts,
        author=item.first(fields.author),
        author_id=item.first(fields.author_id),
        published_at=published_at,
        published_quality=quality,
        edited_at=_date(item, fields.edited, site, fetched)[0],
        language=item.first(fields.language),
        rating=rating,
        rating_scale=fields.rating.scale if fields.rating and rating is not None else None,
        parent_id=_parent(item, site),
        engagement=_counters(item, site),
        extra=_extra(item, site, fetched),
    )


def id_of(item: Item, rule: IdRule, *, site: Site | None = None) -> str | None:
    """The site's id, else one made of what the item says."""
    said = item.first(rule)
    if said or not rule.made_of or site is None:
        return said
    rules = {name: getattr(site.fields, name) for name in rule.made_of}
    parts = [item.all(one) if name == "text" else item.first(one) for name, one in rules.items()]
    whole = "\x1f".join(part or "" for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:32] if any(parts) else None


def _lacking(field: str, item: Item, fetched: Fetched) -> ParseError:
    return ParseError(field, url=fetched.url, item=item.excerpt())


def _date(item: Item, rule: Rule | None, site: Site, fetched: Fetched) -> ReadDate:
    said = [one for found in item.values(rule) for one in found]
    return _first_date(said, site, fetched)


def _first_date(said: Iterable[str], site: Site, fetched: Fetched) -> ReadDate:
    """The first that is a date; in the zone that the operator set, else the site's."""
    zone = fetched.time_zone if fetched.time_zone != "UTC" else site.dates.zone
    return first_date(said, now=fetched.fetched_at, zone=zone, languages=site.dates.languages)


def _rating(item: Item, rule: RatingRule | None) -> float | None:
    if rule is None:
        return None
    if rule.count is not None:
        stars = sum(1 for _ in item.said(rule.count))
        return float(stars) if 0 < stars <= rule.scale else None
    found = _DECIMAL.search(item.first(rule) or "")
    rating = float(found[0].replace(",", ".")) if found else None
    return rating if rating is not None and rating <= rule.scale else None


def _parent(item: Item, site: Site) -> str | None:
    rule = site.fields.parent
    if rule is None:
        return None
    return item.first(rule) or (item.enclosing_id if rule.enclosing else None)


def _address(item: Item, external_id: str, site: Site, fetched: Fetched, config: Any) -> str:
    link = joined(fetched.url, item.first(site.fields.url))
    if link:
        return link
    values = {**config.model_dump(), "id": external_id}
    return filled(site.post_url or site.url, values)


def _counters(item: Item, site: Site) -> dict[str, int]:
    read = {name: whole_number(item.first(rule)) for name, rule in site.counters.items()}
    return {name: value for name, value in read.items() if value is not None}


def _extra(item: Item, site: Site, fetched: Fetched) -> dict[str, object]:
    said = {name: words(item.all(rule)) for name, rule in site.extra.items()}
    return known(**said, reply=_reply(item, site, fetched))


def _reply(item: Item, site: Site, fetched: Fetched) -> dict[str, object]:
    reply = item.answered
    if reply is None:
        return {}
    published_at = _first_date(reply.dates, site, fetched)[0]
    return known(
        text=reply.text,
        author=reply.author,
        published_at=published_at.isoformat() if published_at else None,
    )
