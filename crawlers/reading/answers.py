"""Is this answer the page that was asked for, or a wall, a challenge, a "not found"?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from crawlers.contract import Fetched
from crawlers.errors import AuthError, BlockedError, CrawlError, DriftError
from crawlers.reading.decode import decode
from crawlers.reading.markup import text_of

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,500})", re.I)
_CHALLENGE = re.compile(
    r"cf-chl|cf_chl|challenge-platform|g-recaptcha|h-captcha|hcaptcha\.com|px-captcha|datadome"
    r"|_incapsula_|captcha-delivery|awswaf|verify (?:that )?you are (?:a )?human|are you a robot"
    r"|just a moment\.\.\.|checking your browser|unusual traffic|access denied|attention required",
    re.I,
)
_PASSWORD = re.compile(r"""<input[^<>]{0,500}type\s{0,3}=\s{0,3}["']?password""", re.I)
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|auth|users/connect|account/login|sso)(?:[/?.]|$)", re.I
)
_LOGIN_TITLE = re.compile(
    r"\b(?:log ?in|sign ?in|please log|zaloguj|logowanie|prisijun|prijav[ai])", re.I
)
_GONE = re.compile(
    r"\b404\b|not found|page (?:is )?gone|doesn.t exist|nie znaleziono|nerastas|nije prona", re.I
)


def read(fetched: Fetched) -> str:
    """Return the text of an answer; raises in words for a refusal or for nothing at all."""
    _check_status(fetched.status)
    text = decode(fetched.body, content_type=fetched.headers.get("content-type", ""))
    if not text.strip():
        raise DriftError("the answer is empty")
    return text


def _check_status(status: int) -> None:
    if status == 401:
        raise AuthError("the site wants a credential (401)")
    if status in (403, 407, 429, 451):
        raise BlockedError(f"the site refuses to answer ({status})")
    if status in (404, 410):
        raise CrawlError(f"the site has no such page ({status}); check the address of the source")
    if not 200 <= status < 300:
        raise CrawlError(f"the site answered {status}")


def unexpected(fetched: Fetched, text: str, *, lacks: str) -> CrawlError:
    """Say why a page lacks what its spider looks for; the caller raises what is returned.

    Ask this only about a page that lacks its content: whole pages, too, link to a log-in or
    load the script of a challenge.
    """
    head = text[:200_000]
    found = _TITLE.search(head)
    title = text_of(found[1])[:80] if found else ""
    if _is_login(fetched, head, title):
        return BlockedError(f"a log-in page instead of {lacks}{_quoted(title)}")
    if challenge := _CHALLENGE.search(head):
        return BlockedError(f"a challenge instead of {lacks} ({challenge[0][:40]!r})")
    if _GONE.search(title):
        return DriftError(f"the page says that it does not exist{_quoted(title)}")
    return DriftError(f"the page has no {lacks}{_quoted(title)}")


def _is_login(fetched: Fetched, head: str, title: str) -> bool:
    path = urlsplit(fetched.url).path
    return bool(_PASSWORD.search(head) or _LOGIN_PATH.search(path) or _LOGIN_TITLE.search(title))


def _quoted(title: str) -> str:
    return f'; its title is "{title}"' if title else ""
