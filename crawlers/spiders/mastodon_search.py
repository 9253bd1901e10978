"""Mastodon's search in full texts, which an instance allows only to its own accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import Field
from typing_extensions import override

from crawlers.contract import (
    ConfigWithCredential,
    Cursor,
    Fetched,
    Quota,
    Request,
    Secrets,
    Token,
)
from crawlers.families.bearer import with_bearer
from crawlers.families.mastodon import MastodonSpider, asking
from crawlers.families.own_host import check_is_for
from crawlers.reading.json_body import Json, at
from crawlers.reading.web_address import WebAddress, query_of, with_query

PER_PAGE = 40


class MastodonSearchConfig(ConfigWithCredential):
    """An instance on which there is an account, and words; a phrase stands in quotes."""

    instance: WebAddress
    query: str = Field(min_length=1, max_length=512)


class MastodonSearch(MastodonSpider):
    """Statuses newest first; built to https://docs.joinmastodon.org/methods/search/ (v2).

    Not verified: no answer of this search was recorded, although its statuses are those of the
    timelines. It finds what its authors let be found, on instances that run a search server.
    """

    kind = "mastodon-search"
    title = "Mastodon search"
    config = MastodonSearchConfig
    is_verified = False
    is_gapless = False  # an index lags behind, and instances order what they find as they like
    items_at = ("statuses",)
    secrets = MappingProxyType(
        {
            "instance": "the address of the instance whose token it is",
            "access_token": "of an application on that instance, with the scope read",
        }
    )
    quotas = MappingProxyType({"": Quota(units=300, period=timedelta(minutes=5))})

    @override
    def start(self, config: MastodonSearchConfig, *, cursor: Cursor) -> Request:
        """The newest, whatever the cursor: edits show there."""
        return _search(config, max_id=None)

    @override
    def following(
        self, body: Json, fetched: Fetched, config: MastodonSearchConfig
    ) -> Request | None:
        """What is older than the oldest here; a page may be short, so only an empty one ends it."""
        oldest = _oldest(at(body, "statuses"))
        asked = query_of(fetched.url).get("max_id", "")
        is_older = oldest and not (asked.isdigit() and int(oldest) >= int(asked))
        return _search(config, max_id=oldest) if is_older else None

    @override
    def sign(
        self,
        request: Request,
        config: MastodonSearchConfig,
        secrets: Secrets,
        *,
        token: Token | None,
    ) -> Request:
        """Show the token to its own instance and no other, whatever a source may name."""
        check_is_for(request, secrets["instance"], what="the access token")
        return with_bearer(request, secrets["access_token"])


def _search(config: MastodonSearchConfig, *, max_id: str | None) -> Request:
    address = f"{config.instance.rstrip('/')}/api/v2/search"
    return asking(
        with_query(address, q=config.query, type="statuses", limit=PER_PAGE, max_id=max_id)
    )


def _oldest(statuses: Sequence[Any]) -> str | None:
    ids = [at(status, "id") for status in statuses]
    numbers = [int(i) for i in ids if isinstance(i, str) and i.isascii() and i.isdigit()]
    return str(min(numbers)) if numbers else None
