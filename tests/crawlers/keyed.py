"""A spider of the tests that needs a credential: logs in, signs, and counts what it asks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from crawlers.contract import (
    Config,
    ConfigWithCredential,
    Cursor,
    Family,
    Fetched,
    Page,
    Quota,
    Request,
    Secrets,
    Spider,
    Token,
)
from crawlers.errors import AuthError, CrawlError, QuotaError
from tests.crawlers.plain import Plain, PlainConfig


class KeyedConfig(ConfigWithCredential):
    """Where to start, and how the credential is shown."""

    url: str
    shown: Literal["token", "query", "body"] = "token"
    bucket: str = ""


class Keyed(Spider):
    """Reads what the plain spider reads, of a site that wants to know who asks."""

    kind: ClassVar[str] = "keyed"
    title: ClassVar[str] = "Pages for holders of a key"
    family: ClassVar[Family] = Family.JSON_API
    config: ClassVar[type[Config]] = KeyedConfig
    minimum_interval_seconds: ClassVar[int] = 1
    is_verified: ClassVar[bool] = True  # it needs no opt-in
    secrets: ClassVar[Secrets] = {"name": "the user's name", "password": "an app password"}
    quotas: ClassVar[dict[str, Quota]] = {"three": Quota(units=3, period=timedelta(hours=23))}

    def start(self, config: Any, *, cursor: Cursor) -> Request:  # noqa: ARG002
        return Request(url=config.url, bucket=config.bucket)

    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        plain = PlainConfig(url=config.url)
        page = Plain().parse(fetched, plain, cursor=cursor, ahead=ahead)
        following = page.next and replace(page.next, bucket=config.bucket)
        return replace(page, next=following)

    def explain(self, fetched: Fetched, config: Any) -> CrawlError | None:  # noqa: ARG002
        said = fetched.body.decode()
        if "expired" in said:
            return AuthError(f"the token is over: {said}")
        return QuotaError(f"spent: {said}") if "quota" in said else None

    def log_in(self, config: Any, secrets: Secrets) -> Request | None:
        if config.shown != "token":
            return None
        parts = urlsplit(config.url)
        return Request(
            url=f"{parts.scheme}://{parts.netloc}/token?id={secrets['name']}",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps(dict(secrets)),
            cost=0,
        )

    def read_token(self, fetched: Fetched) -> Token:
        told = json.loads(fetched.body)
        if "token" not in told:
            raise AuthError(f"refused: {told}")
        lasts = told.get("seconds")
        ends = fetched.fetched_at + timedelta(seconds=lasts) if lasts is not None else None
        return Token(value=told["token"], expires_at=ends)

    def sign(
        self, request: Request, config: Any, secrets: Secrets, *, token: Token | None
    ) -> Request:
        if config.shown == "query":
            mark = "&" if "?" in request.url else "?"
            return replace(request, url=f"{request.url}{mark}key={secrets['password']}")
        if config.shown == "body":
            return replace(request, method="POST", body=f"{request.body}|{secrets['password']}")
        assert token is not None
        return replace(request, headers={**request.headers, "Authorization": token.value})
