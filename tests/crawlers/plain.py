"""A spider of the tests: JSON pages, and a child process that knows it beside the real ones.

``python -m tests.crawlers.plain`` is such a child; it speaks to its parent as every child does.
"""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any, ClassVar

from core.types import Post
from crawlers.contract import Config, Cursor, Family, Fetched, Page, Problem, Request, Spider
from crawlers.errors import BlockedError, DriftError


class PlainConfig(Config):
    """Where to start, and how to misbehave."""

    url: str
    hang: str = ""  #: "loop": hold the interpreter; "thread": never return; "die": kill the child
    hang_only_once: str = ""  #: a file that says that it has hung already
    is_stream: bool = False


class Plain(Spider):
    """Understands what ``tests.crawlers.site.posts`` writes."""

    kind: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain pages"
    config: ClassVar[type[Config]] = PlainConfig
    minimum_interval_seconds: ClassVar[int] = 1
    is_verified: ClassVar[bool] = True  # it needs no opt-in
    family: ClassVar[Family] = Family.JSON_API

    def start(self, config: Any, *, cursor: Cursor) -> Request:  # noqa: ARG002
        return Request(url=config.url, is_stream=config.is_stream)

    def parse(
        self,
        fetched: Fetched,
        config: Any,
        *,
        cursor: Cursor,  # noqa: ARG002
        ahead: Cursor,
    ) -> Page:
        _misbehave(config, fetched.url)
        if b"log in" in fetched.body:
            raise BlockedError(f"a login wall ({fetched.url})")
        try:
            told = json.loads(fetched.body)
        except ValueError as error:
            raise DriftError(f"no JSON ({fetched.url})") from error
        items = told["posts"]
        good = [item for item in items if "text" in item]
        return Page(
            posts=tuple(
                Post(external_id=item["id"], text=item["text"], url=f"{fetched.url}#{item['id']}")
                for item in good
            ),
            problems=tuple(
                Problem(
                    reason="no text",
                    url=fetched.url,
                    external_id=item["id"],
                    excerpt=json.dumps(item),
                )
                for item in items
                if "text" not in item
            ),
            next=Request(url=told["next"]) if told.get("next") else None,
            ahead={**ahead, "newest": max((i["id"] for i in items), default=ahead.get("newest"))},
            announced=told.get("announced"),
        )


def _misbehave(config: PlainConfig, url: str) -> None:
    if not config.hang or "harmless" in url:
        return
    if config.hang_only_once:
        try:
            os.close(os.open(config.hang_only_once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    if config.hang == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if config.hang == "loop":
        os.kill(os.getpid(), signal.SIGSTOP)  # nothing of the process runs, not even its ticks
    if config.hang == "thread":
        while True:
            time.sleep(0.5)


if __name__ == "__main__":
    from crawlers.catalogue import spiders
    from crawlers.child import main
    from tests.crawlers.keyed import Keyed
    from tests.crawlers.listed import Asked, AskedAlone, AskedMany, Listed
    from tests.crawlers.walking import Walker

    ours = (Plain(), Listed(), Asked(), AskedAlone(), AskedMany(), Keyed(), Walker())
    main({**spiders(), **{one.kind: one for one in ours}})
