"""A spider of the tests whose lists have no gaps, and whose site can be asked for single posts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from core.types import Post, PublishedQuality
from crawlers.contract import (
    Config,
    Cursor,
    Family,
    Fetched,
    KnownPost,
    Page,
    Problem,
    Request,
    Spider,
)


class ListedConfig(Config):
    """Where the list is, and where single posts are asked for, if anywhere."""

    url: str
    ask: str = ""


class Listed(Spider):
    """Understands what ``page_of`` writes."""

    kind: ClassVar[str] = "listed"
    title: ClassVar[str] = "Pages without gaps"
    family: ClassVar[Family] = Family.JSON_API
    config: ClassVar[type[Config]] = ListedConfig
    minimum_interval_seconds: ClassVar[int] = 1
    is_verified: ClassVar[bool] = True
    is_gapless: ClassVar[bool] = True

    def start(self, config: Any, *, cursor: Cursor) -> Request:  # noqa: ARG002
        return Request(url=config.url)

    def parse(
        self,
        fetched: Fetched,
        config: Any,  # noqa: ARG002
        *,
        cursor: Cursor,  # noqa: ARG002
        ahead: Cursor,  # noqa: ARG002
    ) -> Page:
        return read(fetched)


class Asked(Listed):
    """… two at a time."""

    kind: ClassVar[str] = "asked"
    recheck_size: ClassVar[int] = 2

    def recheck(self, config: Any, posts: Sequence[KnownPost]) -> Request | None:
        ids = ",".join(post.external_id for post in posts)
        return Request(url=f"{config.ask}?ids={ids}") if config.ask else None

    def parse_recheck(
        self,
        fetched: Fetched,
        config: Any,  # noqa: ARG002
        posts: Sequence[KnownPost],
    ) -> Page:
        if fetched.status in (404, 410):
            return Page(gone=tuple(post.external_id for post in posts))
        return read(fetched)


class AskedMany(Asked):
    """… five at a time."""

    kind: ClassVar[str] = "asked-many"
    recheck_size: ClassVar[int] = 5


class AskedAlone(Asked):
    """… one at a time."""

    kind: ClassVar[str] = "asked-alone"
    recheck_size: ClassVar[int] = 1


def read(fetched: Fetched) -> Page:
    """A page of a list, or the posts asked for."""
    told = json.loads(fetched.body)
    return Page(
        posts=tuple(
            Post(
                external_id=item["id"],
                text=item["text"],
                url=f"{fetched.url}#{item['id']}",
                published_at=datetime.fromisoformat(item["at"]),
                published_quality=PublishedQuality.EXACT,
                engagement={"likes": item.get("likes", 0)},
                extra={"case": {"status": item["status"]}} if "status" in item else {},
            )
            for item in told["posts"]
            if "text" in item
        ),
        problems=tuple(
            Problem(reason="no text", url=fetched.url, external_id=item["id"])
            for item in told["posts"]
            if "text" not in item
        ),
        gone=tuple(told.get("gone", ())),
        next=Request(url=told["next"]) if told.get("next") else None,
    )


def page_of(*items: dict[str, Any], following: str | None = None, **more: object) -> str:
    """A page that both understand; an item has id, text and at, perhaps likes and status."""
    return json.dumps({"posts": list(items), "next": following} | more)
