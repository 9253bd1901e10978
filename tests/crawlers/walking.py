"""A spider of the tests that walks: from lists to the pages of their posts, down to its cursor."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from core.types import Post
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Request, Spider
from crawlers.errors import DriftError


class WalkerConfig(Config):
    """Where its lists are."""

    url: str


class Walker(Spider):
    """Lists hold numbers, newest first; each post has a page of its own, asked for by its number.

    What waits of a list travels in ``state``, and the cursor is the highest number of all.
    """

    kind: ClassVar[str] = "walker"
    title: ClassVar[str] = "Lists and pages"
    family: ClassVar[Family] = Family.JSON_API
    config: ClassVar[type[Config]] = WalkerConfig
    minimum_interval_seconds: ClassVar[int] = 1
    is_verified: ClassVar[bool] = True  # it needs no opt-in

    def start(self, config: Any, *, cursor: Cursor) -> Request:  # noqa: ARG002
        return _listing(config, below=None)

    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        try:
            told = json.loads(fetched.body)
        except ValueError as error:
            raise DriftError(f"no JSON ({fetched.url})") from error
        if "list" not in told:
            post = Post(external_id=f"{told['id']:06}", text=told["text"], url=fetched.url)
            return Page(posts=(post,), next=_following(fetched.state, config), ahead=ahead)
        known = cursor.get("newest", -1)
        waiting = [number for number in told["list"] if number > known]
        is_last = len(waiting) < len(told["list"]) or not told["list"]
        state = {"waiting": waiting, "below": None if is_last else waiting[-1]}
        newest = max([ahead.get("newest", -1), *told["list"]])
        return Page(
            next=_following(state, config),
            ahead={"newest": newest},
            announced=len(waiting) if is_last else None,
        )


def _following(state: Any, config: Any) -> Request | None:
    waiting, below = state["waiting"], state["below"]
    if waiting:
        rest = {"waiting": waiting[1:], "below": below}
        return Request(url=f"{config.url}/post/{waiting[0]}", state=rest)
    return _listing(config, below=below) if below is not None else None


def _listing(config: Any, *, below: int | None) -> Request:
    where = "" if below is None else f"?below={below}"
    return Request(url=f"{config.url}/list{where}")


if __name__ == "__main__":  # a child that knows nothing else, and so starts sooner
    from crawlers.child import main

    main({Walker.kind: Walker()})
