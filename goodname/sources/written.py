"""A page as JSON, without what says nothing: as recordings expect and previews print it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from core.types import Post
from crawlers.contract import Page
from crawlers.errors import CrawlError
from goodname.sources.walk import Visit


def written(visit: Visit) -> dict[str, Any]:
    """What was read of one page, or the error."""
    if visit.page is None:
        return written_error(visit.error or CrawlError("nothing was read"))
    return written_page(visit.page)


def written_error(error: CrawlError) -> dict[str, Any]:
    """Why nothing was read."""
    return {"error": type(error).__name__, "outcome": error.outcome.value, "says": str(error)}


def written_page(page: Page) -> dict[str, Any]:
    """Posts, problems and what follows."""
    found: dict[str, Any] = {
        "posts": [written_post(post) for post in page.posts],
        "problems": [
            {key: value for key, value in asdict(problem).items() if key != "excerpt" and value}
            for problem in page.problems
        ],
        "next": page.next.url if page.next else None,
        "ahead": dict(page.ahead),
        "announced": page.announced,
        "gone": list(page.gone),
        **({"dead_end": str(page.dead_end)} if page.dead_end else {}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def written_post(post: Post) -> dict[str, Any]:
    """The fields of a post that say something."""
    values = {field.name: getattr(post, field.name) for field in fields(post)}
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}
    return {key: value for key, value in plain.items() if value not in (None, {}, False)}
