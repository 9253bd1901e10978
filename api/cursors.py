"""Opaque places in a list: a keyset, never an offset, and only for the same filters."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.datastructures import URL

from api.problems import Problem

_LAYOUT = struct.Struct(">qq6s")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """The last row that was shown; the next page begins after it."""

    at: datetime
    id: int


def write_cursor(place: Place, *, filters: Mapping[str, object]) -> str:
    """Write a place down for the next request."""
    micros = (place.at - _EPOCH) // _MICROSECOND
    packed = _LAYOUT.pack(micros, place.id, _fingerprint(filters))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(shown: str, *, filters: Mapping[str, object]) -> Place:
    """Read a place back; 422 when it is made up or of a list with other filters."""
    try:
        packed = base64.b64decode(shown + "=" * (-len(shown) % 4), altchars=b"-_", validate=True)
        micros, key, fingerprint = _LAYOUT.unpack(packed)
        place = Place(_EPOCH + micros * _MICROSECOND, key)
    except (ValueError, struct.error, OverflowError):
        raise Problem(422, "bad-cursor", "The cursor cannot be read; start anew.") from None
    if fingerprint != _fingerprint(filters):
        raise Problem(422, "bad-cursor", "The cursor belongs to a list with other filters.")
    return place


def next_link(url: URL, cursor: str | None) -> tuple[str | None, dict[str, str]]:
    """The next page as a path with query, and its RFC 8288 header."""
    if cursor is None:
        return None, {}
    following = url.include_query_params(cursor=cursor)
    path = f"{following.path}?{following.query}"
    return path, {"Link": f'<{path}>; rel="next"'}


def _fingerprint(filters: Mapping[str, object]) -> bytes:
    told: Iterable[str] = (f"{name}={filters[name]!r}" for name in sorted(filters))
    return hashlib.sha256("&".join(told).encode("utf-8", "backslashreplace")).digest()[:6]
