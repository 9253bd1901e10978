"""The forum: an RSS 2.0 feed and the threads that it links to."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import format_datetime

from markupsafe import Markup, escape

from core.fold import fold
from goodname.demo.page import Place, fill, missing, page
from goodname.demo.posts import Site
from goodname.demo.web import RSS, Response
from goodname.demo.world import Shown

IN_FEED = 30


def feed(place: Place) -> Response:
    """The newest threads as RSS, each with its whole text."""
    posts = place.world.shown(Site.FORUM)[:IN_FEED]
    changed = place.world.changed_at(Site.FORUM)
    body = fill(
        "feed.xml.j2",
        place=place,
        posts=posts,
        changed=changed,
        rfc822=format_datetime,
        address=address,
        as_html=as_html,
    )
    ids = tuple(post.id for post in posts)
    return Response(body=body, content_type=RSS, changed_at=changed, posts=ids)


def index(place: Place) -> Response:
    """All threads as links; it carries no texts."""
    posts = place.world.shown(Site.FORUM)
    answer = page("forum.html.j2", place=place, posts=posts, address=address)
    return replace(answer, changed_at=place.world.changed_at(Site.FORUM))


def thread(place: Place, *, slug: str) -> Response:
    """One thread; only the number in the slug counts, so old links go on working."""
    number = slug.partition("-")[0]
    post = place.world.find(Site.FORUM, number)
    if post is None:
        return missing(place, is_gone=place.world.is_gone(Site.FORUM, number))
    answer = page("thread.html.j2", place=place, post=post)
    return replace(answer, changed_at=post.changed_at, posts=(post.id,))


def address(post: Shown) -> str:
    """The path of a thread: "/forum/t/4711-a-kettle-that-sings"."""
    words = re.findall(r"[a-z0-9]+", fold(post.title))[:8]
    return "/forum/t/" + "-".join([post.id, *words])


def as_html(post: Shown) -> str:
    """The text as the HTML that a feed carries, still to be escaped once more for XML."""
    return str(Markup("").join(Markup("<p>{}</p>").format(escape(p)) for p in post.paragraphs))
