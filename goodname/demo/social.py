"""The social site: its JSON search in the format of the Hacker News Algolia API."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from markupsafe import escape

from core.fold import fold
from goodname.demo.page import Place, missing, page
from goodname.demo.posts import Site
from goodname.demo.web import Request, Response, as_json
from goodname.demo.world import Shown

MOST_HITS = 1000

Hit = dict[str, object]

_TAG = re.compile(r"\(([^()]*)\)|([^,()]+)")
_FILTER = re.compile(r"\s*(created_at_i|points|num_comments)\s*(<=|>=|!=|<|>|=)\s*(-?\d{1,15})\s*")
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


class QueryError(ValueError):
    """A parameter of the search cannot be read."""


def search_by_date(request: Request, place: Place) -> Response:
    """Posts that match words, tags and numeric filters, newest first; pages count from 0."""
    query = request.query
    try:
        number = _number(query, "page", default=0, most=10**6)
        size = _number(query, "hitsPerPage", default=20, most=MOST_HITS)
        conditions = _conditions(query.get("numericFilters", ""))
    except QueryError as error:
        status = HTTPStatus.BAD_REQUEST
        return as_json({"message": str(error), "status": status.value}, status=status)
    tags, words = query.get("tags", ""), query.get("query", "")
    hits = [
        hit
        for hit in _hits(place)
        if _has_tags(hit, tags) and _has_words(hit, words) and all(c(hit) for c in conditions)
    ]
    chosen = hits[number * size : (number + 1) * size]
    answer = as_json(
        {
            "hits": chosen,
            "nbHits": len(hits),
            "page": number,
            "nbPages": -(-len(hits) // size) if size else 0,
            "hitsPerPage": size,
            "processingTimeMS": 1,
            "query": words,
            "params": "&".join(f"{key}={value}" for key, value in query.items()),
        }
    )
    ids = tuple(str(hit["objectID"]) for hit in chosen)
    return replace(answer, changed_at=place.world.changed_at(Site.SOCIAL), posts=ids)


def lookup(place: Place, *, number: str) -> Response:
    """One item by itself in the format of the Hacker News API; ``null`` for what never was."""
    world = place.world
    if world.is_gone(Site.SOCIAL, number):
        return as_json({"deleted": True, "id": int(number)})
    found = next((hit for hit in _hits(place) if hit["objectID"] == number), None)
    if found is None:
        return as_json(None)
    answer = as_json({name: value for name, value in _item(found).items() if value is not None})
    return replace(answer, posts=(number,))


def item_page(request: Request, place: Place) -> Response:
    """One story or comment with its comments, as a page."""
    number = request.query.get("id", "")
    world = place.world
    post = world.find(Site.SOCIAL, number)
    if post is None:
        return missing(place, is_gone=world.is_gone(Site.SOCIAL, number))
    shown = world.shown(Site.SOCIAL)
    comments = [one for one in reversed(shown) if one.entry.story_id == number]
    answer = page("item.html.j2", place=place, post=post, comments=comments, handle=handle)
    return replace(answer, posts=(post.id, *(one.id for one in comments)))


def front_page(place: Place) -> Response:
    """The stories as links; it carries no texts."""
    stories = [post for post in place.world.shown(Site.SOCIAL) if not post.entry.story_id]
    answer = page("social.html.j2", place=place, stories=stories, handle=handle)
    return replace(answer, changed_at=place.world.changed_at(Site.SOCIAL))


def handle(post: Shown) -> str:
    """The author's name as the social site writes it."""
    return re.sub(r"[^a-z0-9]+", "_", fold(f"{post.entry.author} {post.entry.town}")).strip("_")


def _hits(place: Place) -> list[Hit]:
    posts = place.world.shown(Site.SOCIAL)
    stories = {post.id: post for post in posts if not post.entry.story_id}
    return [_hit(post, posts, stories, place.base_url) for post in posts]


def _hit(post: Shown, posts: list[Shown], stories: Mapping[str, Shown], base_url: str) -> Hit:
    story_id = post.entry.story_id
    story = stories.get(story_id) if story_id else None
    is_comment = story_id is not None
    author = handle(post)
    html = "<p>".join(str(escape(paragraph)) for paragraph in post.paragraphs)
    return {
        "created_at": _stamp(post.published_at),
        "title": None if is_comment else post.title,
        "url": None,
        "author": author,
        "points": None if is_comment else post.entry.text.votes + 1,
        "story_text": None if is_comment else html,
        "comment_text": html if is_comment else None,
        "num_comments": None if is_comment else sum(p.entry.story_id == post.id for p in posts),
        "story_id": int(story_id) if story_id else None,
        "story_title": story.title if story else None,
        "story_url": f"{base_url}/item?id={story_id}" if story_id else None,
        "parent_id": int(story_id) if story_id else None,
        "created_at_i": int(post.published_at.timestamp()),
        "_tags": [
            "comment" if is_comment else "story",
            f"author_{author}",
            f"story_{story_id or post.id}",
        ],
        "objectID": post.id,
        "_highlightResult": {},
    }


def _item(hit: Hit) -> Hit:
    """A hit in the words of the items API."""
    is_comment = hit["comment_text"] is not None
    return {
        "id": int(str(hit["objectID"])),
        "type": "comment" if is_comment else "story",
        "by": hit["author"],
        "time": hit["created_at_i"],
        "text": hit["comment_text"] if is_comment else hit["story_text"],
        "title": hit["title"],
        "parent": hit["parent_id"],
        "score": hit["points"],
        "descendants": hit["num_comments"],
    }


def _has_tags(hit: Hit, tags: str) -> bool:
    """Commas mean *and*, inside parentheses *or*."""
    own = hit["_tags"]
    assert isinstance(own, list)  # noqa: S101 - we made it a few lines above
    for either, single in _TAG.findall(tags):
        wanted = [tag.strip() for tag in (either or single).split(",") if tag.strip()]
        if wanted and not any(tag in own for tag in wanted):
            return False
    return True


def _has_words(hit: Hit, query: str) -> bool:
    """Every word must occur; as in Algolia's default, the last one may be a beginning."""
    wanted = _words(query)
    if not wanted:
        return True
    text = " ".join(str(hit[key] or "") for key in ("title", "story_text", "comment_text"))
    there = set(_words(re.sub(r"<[^>]*>|&[#\w]+;", " ", text)))
    *whole, last = wanted
    return all(w in there for w in whole) and any(w.startswith(last) for w in there)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def _conditions(text: str) -> list[Callable[[Hit], bool]]:
    conditions = []
    for part in filter(str.strip, text.split(",")):
        match = _FILTER.fullmatch(part)
        if match is None:
            raise QueryError(f"Invalid filter: {part.strip()[:100]}")
        conditions.append(_condition(match[1], _COMPARE[match[2]], int(match[3])))
    return conditions


def _condition(key: str, compare: Callable[[int, int], bool], bound: int) -> Callable[[Hit], bool]:
    def holds(hit: Hit) -> bool:
        value = hit[key]
        return isinstance(value, int) and compare(value, bound)

    return holds


def _number(query: Mapping[str, str], key: str, *, default: int, most: int) -> int:
    value = query.get(key)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise QueryError(f'Invalid value for "{key}" parameter, expected a positive integer')
    return min(int(value), most)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
