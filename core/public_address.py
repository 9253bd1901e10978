"""Addresses as others may see them: that of a source may hold a password or a token.

Whoever crawls has the real address; what is told of it in reasons, logs and messages goes through
here. Host and path stay, so that it can still be said where something went wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

HIDDEN: Final = "***"
#: Parts of names of query fields that hold a secret.
_SECRET_WORDS = (
    "token", "secret", "password", "passwd", "signature", "apikey", "api_key", "api-key",
    "accesskey", "access_key", "credential", "session",
)  # fmt: skip
#: Whole names of such fields, and last words of them: ``feed_key``, ``x-sid``.
_SECRET_NAMES = frozenset({"key", "sig", "auth", "authorization", "sid", "pwd", "hmac", "jwt"})
#: A one-time code of a log-in; ``product_code`` is none.
_SECRET_ALONE = frozenset({"code", "auth_code", "authcode"})
#: Fields that say which page of a list was asked for, where a number follows.
_PLACES = frozenset({"page", "p", "pg", "paged", "offset", "start", "limit", "per_page", "size"})
_LONGEST_PLACE = 6
#: Behind a ``?`` without a name: ``?feed`` is a switch, what is longer may be a token.
_LONGEST_SWITCH = 10

_BETWEEN_WORDS = re.compile(r"[_-]")
_IN_WORDS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s<>\"]+", re.I)
_ADDRESS = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://)(?P<rest>.*)", re.I | re.S)
_AUTHORITY = re.compile(r"[^/?#\\]*")
_PLAIN_AUTHORITY = re.compile(r"(?:\[[^\[\]]*\]|[^:]*)(?::\d*)?")
_AFTER_WORDS = ")]}'`,.;:!?\u2026"

Params = Mapping[str, Any]
_IsHidden = Callable[[str, str], bool]


def shown_url(url: str) -> str:
    """An address for reasons: no user, no fragment, and no values but the number of a page.

    >>> shown_url("https://ann:pw@shop.example/feed.xml?key=81&page=2#top")
    'https://shop.example/feed.xml?key=***&page=2'
    """
    return _rewritten(url, is_hidden=_is_no_place)


def shown_words(text: str) -> str:
    """Words with every address in them as ``shown_url`` leaves it."""
    if "://" not in text:
        return text
    return _IN_WORDS.sub(_shown_in_words, text)


def guarded_url(url: str) -> str:
    """An address for those who mend things: as it is, but without user and secrets."""
    return _rewritten(url, is_hidden=lambda name, _: is_secret_name(name))


def public_url(url: str) -> str:
    """An address to follow: without user, fragment, and what in its query looks like a secret."""
    try:
        parts = urlsplit(url)
        fields = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return ""
    if any(is_secret_name(name) for name, _ in fields):
        shown = [(name, value) for name, value in fields if not is_secret_name(name)]
        parts = parts._replace(query=urlencode(shown))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def shown_params(params: Params) -> dict[str, Any]:
    """The params of a source for those who do not manage it."""
    return {name: _shown_value(value) for name, value in params.items()}


def address_secrets(params: Params) -> list[str]:
    """What is secret in the addresses among the params of a source: passwords and tokens."""
    found: list[str] = []
    for address in _addresses(params.values()):
        try:
            parts = urlsplit(address)
            fields = parse_qsl(parts.query)
            found += [unquote(parts.password)] if parts.password else []
        except ValueError:
            continue
        found += [value for name, value in fields if is_secret_name(name)]
    return found


def is_secret_name(name: str) -> bool:
    """Whether a field of a query is called as secrets are."""
    word = unquote(name).casefold()
    is_named = word in _SECRET_ALONE or _BETWEEN_WORDS.split(word)[-1] in _SECRET_NAMES
    return is_named or any(part in word for part in _SECRET_WORDS)


def _is_no_place(name: str, value: str) -> bool:
    is_number = value.isascii() and value.isdigit() and len(value) <= _LONGEST_PLACE
    return not (is_number and name.casefold() in _PLACES)


def _rewritten(url: str, *, is_hidden: _IsHidden) -> str:
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return url
    rest = _without_user(found["rest"]).partition("#")[0]
    place, mark, query = rest.partition("?")
    fields = "&".join(_field(one, is_hidden) for one in query.split("&"))
    return f"{found['head']}{place}{mark}{fields}"


def _without_user(rest: str) -> str:
    """Behind the last ``@`` of the authority; a password with a slash in it goes as well."""
    authority = _AUTHORITY.match(rest)
    end = authority.end() if authority else 0
    host = rest[:end].rpartition("@")[2]
    if _PLAIN_AUTHORITY.fullmatch(host) or "@" not in rest[end:]:
        return host + rest[end:]
    return rest.rpartition("@")[2]


def _field(written: str, is_hidden: _IsHidden) -> str:
    name, equals, value = written.partition("=")
    if not equals:
        return name if len(name) <= _LONGEST_SWITCH else HIDDEN
    return f"{name}={HIDDEN}" if value and is_hidden(name, value) else written


def _shown_in_words(found: re.Match[str]) -> str:
    address = found[0].rstrip(_AFTER_WORDS)
    return shown_url(address) + found[0][len(address) :]


def _shown_value(value: Any) -> Any:
    if isinstance(value, str):
        is_address = _ADDRESS.fullmatch(value.strip())
        return shown_url(value.strip()) if is_address else shown_words(value)
    if isinstance(value, Mapping):
        return {name: _shown_value(one) for name, one in value.items()}
    return [_shown_value(one) for one in value] if isinstance(value, list) else value


def _addresses(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str) and _ADDRESS.fullmatch(value.strip()):
            yield value.strip()
        elif isinstance(value, Mapping):
            yield from _addresses(value.values())
        elif isinstance(value, list):
            yield from _addresses(value)
