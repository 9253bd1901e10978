"""Mastodon without a log-in: a tag, the public timeline, or the replies to a status."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, model_validator
from typing_extensions import override

from crawlers.contract import Config, Cursor, Fetched, Request
from crawlers.errors import DriftError
from crawlers.families.items import Listing
from crawlers.families.mastodon import MastodonSpider, asking, next_max_id
from crawlers.reading.json_body import Json, at
from crawlers.reading.web_address import WebAddress, with_query

PER_PAGE = 40


class MastodonConfig(Config):
    """An instance, and what of it; without tag and status, its whole public timeline."""

    instance: WebAddress
    tag: str = Field(default="", max_length=100, pattern=r"^[^#/?\s]*$", description="without #")
    replies_to: str = Field(
        default="",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="the instance's id of a status, whose replies are read",
    )
    local: bool = Field(default=False, description="only what was written on this instance")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.tag and self.replies_to:
            raise ValueError("a source reads a tag or the replies to a status")
        return self


class Mastodon(MastodonSpider):
    """Newest first, in pages of forty; built to https://docs.joinmastodon.org/methods/timelines/.

    A timeline shows what has reached its instance, which is never all of the network. The public
    one may leave out replies.
    """

    kind = "mastodon"
    title = "Mastodon tag or timeline"
    config = MastodonConfig
    is_verified = True

    @override
    def start(self, config: MastodonConfig, *, cursor: Cursor) -> Request:
        """The newest, whatever the cursor: edits show there."""
        if config.replies_to:
            name = quote(config.replies_to, safe="")
            return asking(f"{config.instance.rstrip('/')}/api/v1/statuses/{name}/context")
        return _timeline(config, max_id=None)

    @override
    def listing(self, fetched: Fetched, text: str, config: MastodonConfig) -> Listing[Json]:
        """A page of a timeline, or a whole thread, which stands in the order of its branches."""
        if not config.replies_to:
            return super().listing(fetched, text, config)
        replies = at(self.body(fetched, text), "descendants")
        if not isinstance(replies, list):
            raise DriftError("the answer has no list of descendants")
        return Listing(items=replies, announced=len(replies), is_sorted=False)

    @override
    def following(self, body: Json, fetched: Fetched, config: MastodonConfig) -> Request | None:
        """The page that the answer's header begins with, on the instance that was asked."""
        older = next_max_id(fetched)
        return _timeline(config, max_id=older) if older else None


def _timeline(config: MastodonConfig, *, max_id: str | None) -> Request:
    base = f"{config.instance.rstrip('/')}/api/v1/timelines"
    address = f"{base}/tag/{quote(config.tag, safe='')}" if config.tag else f"{base}/public"
    asked: dict[str, Any] = {"limit": PER_PAGE, "max_id": max_id}
    return asking(with_query(address, local="true" if config.local else None, **asked))
