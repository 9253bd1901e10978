"""Bytes of a page to text that can be stored, whatever the site claims about them."""

from __future__ import annotations

import codecs
import re

from core.clean import clean
from crawlers.errors import CrawlError

#: No page that we read is larger; the engine refuses to download more than this, too.
MAX_BYTES = 32 * 1024 * 1024
_HEAD = 2048  # declarations stand in the first bytes of a document

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a document without a mark looks like when its letters are wider than a byte.
_WIDE = (
    (re.compile(rb"[<{\[]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00\x00\x00[<{\[]"), "utf-32-be"),
    (re.compile(rb"[<{\[]\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"\x00[<{\[]\x00[^\x00]"), "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:encoding|charset)\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.I)
_HEADER = re.compile(r"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.I)
# What browsers take these labels for; sites mean the larger sets.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# In these, bytes may look like valid UTF-8 and mean something else.
_MULTIBYTE = ("gb", "big5", "cp932", "cp949", "euc", "iso2022", "hz", "johab", "shift")
# "Text" only for Python: they run escapes or hide markup from whoever looks at the bytes.
_REFUSED = ("utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")


def decode(body: bytes, *, content_type: str = "") -> str:
    """Return the text; bytes that fit no charset and characters that cannot be kept are U+FFFD.

    A byte order mark decides; then the bytes themselves, when they are valid UTF-8; then the
    header; then what the document says of itself. ``CrawlError`` when it is too large.
    """
    if len(body) > MAX_BYTES:
        size = len(body) // 2**20
        raise CrawlError(f"the answer is {size} MiB long; we read {MAX_BYTES // 2**20} MiB")
    for mark, name in _MARKS:
        if body.startswith(mark):
            return clean(body[len(mark) :].decode(name, "replace"))
    for shape, name in _WIDE:
        if shape.match(body):
            return clean(body.decode(name, "replace"))
    return clean(_decode_narrow(body, content_type))


def _decode_narrow(body: bytes, content_type: str) -> str:
    claims = _claims(body, content_type)
    if not any(claim.startswith(_MULTIBYTE) for claim in claims):
        claims.insert(0, "utf-8")
    for claim in claims:
        try:
            return body.decode(claim)
        except UnicodeDecodeError:
            continue
    believed = [claim for claim in claims if claim != "utf-8"]
    return body.decode(believed[0] if believed else "utf-8", "replace")


def _claims(body: bytes, content_type: str) -> list[str]:
    header = _HEADER.search(content_type[:500])
    declared = _DECLARED.search(body[:_HEAD])
    labels = [
        header[1] if header else "",
        declared[1].decode("ascii", "replace") if declared else "",
    ]
    return [name for name in map(_known, labels) if name]


def _known(label: str) -> str | None:
    try:
        codec = codecs.lookup(label.strip().lower()) if label else None
    except (LookupError, ValueError):
        return None
    if codec is None or codec.name in _REFUSED or not getattr(codec, "_is_text_encoding", True):
        return None
    # A document that we read byte by byte cannot be wider than a byte, whatever it says.
    return (
        None if codec.name.startswith(("utf-16", "utf-32")) else _MEANT.get(codec.name, codec.name)
    )
