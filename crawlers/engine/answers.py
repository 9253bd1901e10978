"""What a site's answer, or its silence, means for the run. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

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
from crawlers.reading.limits import asked_wait

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
        is_wrong_address=status in (404, 410),
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


def silence(error: BaseException, *, url: str, timeout: float, limit: int) -> Verdict:
    """The end of the run for a request that brought no answer at all."""
    if isinstance(error, CrawlError):
        return of_error(error)
    is_refused = isinstance(error, AddressRefused)
    outcome = RunOutcome.BLOCKED if is_refused else RunOutcome.ERROR
    reason = _reason(error, timeout=timeout, limit=limit)
    # A next page that we may not ask for would be none for ever.
    return Verdict(
        outcome=outcome,
        reason=f"{reason} ({url})",
        starts_over=is_refused,
        is_wrong_address=isinstance(error, CannotResolveHostError),
    )


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
