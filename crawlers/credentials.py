"""Credentials of sources: found in the settings, told apart from tokens, never written anywhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

from crawlers.contract import Secrets, Spider, Token
from crawlers.errors import AuthError

#: A token that ends so soon may end on the way to the site.
_ALMOST_OVER = timedelta(seconds=60)
#: Shorter ones are no secrets, and taking them out of a text would leave nothing to read.
_SHORTEST_SECRET = 6
HIDDEN = "***"
_ADDRESSES = ("http://", "https://")
_ESCAPE = re.compile("%[0-9A-F]{2}")

#: By the names under ``[credentials]``: the parts of each.
Credentials = Mapping[str, Secrets]


def revealed(settings: Mapping[str, Mapping[str, SecretStr]]) -> Credentials:
    """The credentials of the settings in the clear, for the pipe to a child and nothing else."""
    return {
        _told(name): {part.lower(): value.get_secret_value() for part, value in parts.items()}
        for name, parts in settings.items()
    }


def credential_name(spider: Spider, config: Any) -> str:
    """Which table under ``[credentials]`` a source uses: the one it names, or that of its kind."""
    return _told(str(getattr(config, "credential", "") or spider.kind))


def _told(name: str) -> str:
    """A shell takes no dash in a variable: ``google-business`` is told as ``google_business``."""
    return name.lower().replace("-", "_")


def secrets_for(spider: Spider, config: Any, credentials: Credentials) -> Secrets:
    """The parts that a spider needs; ``AuthError`` says which is missing, and what it is."""
    name = credential_name(spider, config)
    given = credentials.get(name, {})
    for part, meaning in spider.secrets.items():
        if not given.get(part, "").strip():
            variable = f"GOODNAME_CREDENTIALS__{name}__{part}".upper()
            raise AuthError(
                f'[credentials.{name}] has no "{part}" ({meaning}); set {variable},'
                " or name another table in the source's params"
            )
    return {part: given[part].strip() for part in spider.secrets}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Take secrets out of words that a site or a library may have repeated."""
    for written in written_ways(secrets):
        text = text.replace(written, HIDDEN)
    return text


def written_ways(secrets: Iterable[str]) -> list[str]:
    """How secrets may stand in addresses and in JSON, the longest first.

    A part that is an address, such as that of an instance, is none: without it no answer of the
    site could be read.
    """
    ways = {
        way
        for secret in secrets
        if len(secret) >= _SHORTEST_SECRET and not secret.lower().startswith(_ADDRESSES)
        for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret))
        for way in (secret, secret.replace("/", r"\/"), quoted, _ESCAPE.sub(_lower, quoted))
    }
    return sorted(ways, key=len, reverse=True)


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()


@dataclass(slots=True)
class _Held:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = field(default=None, repr=False)
    serial: int = 0  #: of the token, so that a refusal of an older one does not end a newer


class Tokens:
    """What log-ins gave, for all runs of one process and no longer."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], _Held] = {}

    def lock(self, key: tuple[str, ...]) -> asyncio.Lock:
        """Held by who logs in, so that others wait for that token."""
        return self._of(key).lock

    def get(self, key: tuple[str, ...], *, now: datetime) -> tuple[int, Token] | None:
        """The token and its number; None when there is none that still holds."""
        newest = self.newest(key)
        return None if newest is None or _is_over(newest[1], now) else newest

    def newest(self, key: tuple[str, ...]) -> tuple[int, Token] | None:
        """The token and its number, though it may be over: it was asked for just now."""
        held = self._of(key)
        return None if held.token is None else (held.serial, held.token)

    def put(self, key: tuple[str, ...], token: Token) -> None:
        """Remember the answer of a log-in."""
        held = self._of(key)
        held.token, held.serial = token, held.serial + 1

    def drop(self, key: tuple[str, ...], *, serial: int) -> None:
        """Forget a token that the site refused, unless a newer one has taken its place."""
        held = self._of(key)
        if held.serial == serial:
            held.token = None

    def _of(self, key: tuple[str, ...]) -> _Held:
        return self._held.setdefault(key, _Held())


def _is_over(token: Token, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now + _ALMOST_OVER
