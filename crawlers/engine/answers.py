"""What a site's answer, or its silence, means for the run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from core.errors import AddressRefused
from core.types import RunOutcome
from crawlers.engine.verdict import Verdict, of_error
from crawlers.errors import CrawlError

#: A site that asks for more is asked again after this.
LONGEST_WAIT = timedelta(days=1)
_LIMITS = ("x-rate-limit", "x-ratelimit", "ratelimit")
_YEAR_2001 = 10**9  #: in seconds since 1970; a smaller number is one from now
_MEANING = {
    400: "the site calls the request malformed",
    404: "not found; has the address changed?",
    410: "gone for good; has the address changed?",
    429: "the site asks to come less often",
    451: "withheld for legal reasons",
    503: "the site is not available",
}


def refusal(status: int, headers: Mapping[str, str], *, url: str, now: datetime) -> Verdict | None:
    """The end of the run for an answer that is no page; None when it is one."""
    if 200 <= status < 300:
        return None
    meaning = _MEANING.get(status, _kind_of(status))
    until = asked_wait(status, headers, now=now)
    asked = f"; it asks to wait until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
    return Verdict(
        outcome=_outcome(status),
        reason=f"HTTP {status}: {meaning}{asked} ({url})",
        not_before=until,
        # A next page that is refused as such would be refused for ever.
        starts_over=status in (400, 404, 410, 414),
    )


def _outcome(status: int) -> RunOutcome:
    if status in (401, 407):
        return RunOutcome.AUTH
    return RunOutcome.BLOCKED if status in (403, 429, 451) else RunOutcome.ERROR


def _kind_of(status: int) -> str:
    if status in (401, 407):
        return "the site wants a credential"
    if status == 403:
        return "the site refuses us"
    if 300 <= status < 400:
        return "a redirect that leads nowhere"
    return "the site reports an error of its own" if status >= 500 else "the site refuses"


def retry_after(value: str, *, now: datetime) -> datetime | None:
    """Read a Retry-After header, seconds or a date; at most a day ahead, None when unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return now + min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(at, now), now + LONGEST_WAIT)


def asked_wait(status: int, headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Until when a site wants to be left alone: Retry-After, or a limit that is used up.

    Both count on every status. Limits are written as x-rate-limit-* (X), x-ratelimit-* (most) or
    ratelimit-* (a draft of the IETF), and their end in three ways.
    """
    asked = retry_after(headers.get("retry-after", ""), now=now)
    lifted = [
        limit_lifted(headers[f"{prefix}-reset"], now=now)
        for prefix in _LIMITS
        if f"{prefix}-reset" in headers
        and _is_used_up(headers.get(f"{prefix}-remaining", "0" if status == 429 else ""))
    ]
    waits = [until for until in (asked, *lifted) if until is not None and until > now]
    return max(waits, default=None)


def _is_used_up(remaining: str) -> bool:
    try:
        return float(remaining.split(",")[0]) < 1
    except ValueError:
        return False


def limit_lifted(value: str, *, now: datetime) -> datetime | None:
    """Read the end of a limit: seconds from now, since 1970, or a date; at most a day ahead."""
    text = value.split(",")[0].strip()
    try:
        number = float(text)
    except ValueError:
        return _lifted_at_date(text, now=now)
    if not 0 <= number < 10**13:
        return None
    if number >= 10**12:
        number /= 1000  # milliseconds
    at = number if number >= _YEAR_2001 else now.timestamp() + number
    # Where they cut the fraction off, the end named is up to a second early.
    return min(datetime.fromtimestamp(at, UTC) + timedelta(seconds=1), now + LONGEST_WAIT)


def _lifted_at_date(text: str, *, now: datetime) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return retry_after(text, now=now)
    return min(at.replace(tzinfo=UTC) if at.tzinfo is None else at, now + LONGEST_WAIT)


def silence(error: BaseException, *, url: str, timeout: float, limit: int) -> Verdict:
    """The end of the run for a request that brought no answer at all."""
    if isinstance(error, CrawlError):
        return of_error(error)
    outcome = RunOutcome.BLOCKED if isinstance(error, AddressRefused) else RunOutcome.ERROR
    reason = _reason(error, timeout=timeout, limit=limit)
    return Verdict(outcome=outcome, reason=f"{reason} ({url})")


def _reason(error: BaseException, *, timeout: float, limit: int) -> str:
    match error:
        case AddressRefused():
            return str(error)
        case DownloadTimeoutError():
            return f"no whole answer within {timeout:g} s"
        case CannotResolveHostError():
            return "the name of the host cannot be resolved"
        case DownloadConnectionRefusedError():
            return "connection refused"
        case DownloadCancelledError():
            return f"the body is larger than {limit} bytes"
        case ResponseDataLossError():
            return "the body broke off before its announced end"
        case UnsupportedURLSchemeError() | NotSupported():
            return "only http and https are fetched"
        case IgnoreRequest() if "redirections" in str(error):
            return "redirected in a circle, or too often"
        case IgnoreRequest() if error.__cause__ is not None:
            return f"the body is larger than {limit} bytes when decompressed"
        case DownloadFailedError():
            return _transport_reason(error)
        case OSError():
            return f"the compressed body cannot be read: {error}"
    return f"{type(error).__name__}: {str(error)[:300]}"


def _transport_reason(error: BaseException) -> str:
    """Find what went wrong under the failures that Twisted wraps around each other."""
    causes = list(_causes(error))
    for cause in causes:
        if "VerificationError" in type(cause).__name__:
            return "the TLS certificate is not valid: it is for another name than this host's"
        if "certificate verify failed" in str(cause):
            # OpenSSL knows which of these it is; Twisted does not pass that on.
            return (
                "the TLS certificate is not valid: it has expired, is self-signed, "
                "or comes from an authority that is not trusted here"
            )
    for cause in causes:
        if (type(cause).__module__ or "").startswith("OpenSSL"):
            return f"TLS failed: {_short(cause)}"
    names = {type(cause).__name__ for cause in causes}
    if names & {"ParseError", "BadHeaders", "BadResponseVersion"}:
        return "the answer is no HTTP"
    return "the site closed the connection without an answer"


def _causes(error: BaseException) -> Iterator[BaseException]:
    for reason in getattr(error, "reasons", None) or ():
        yield from _causes(reason.value)
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
    yield error


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
