"""Refusals of Google's APIs: one envelope, ``error``, with reasons old (``errors``) and new."""

from __future__ import annotations

from crawlers.contract import Fetched
from crawlers.errors import AuthError, CrawlError, QuotaError
from crawlers.families.refusals import body_of, next_midnight, quoted
from crawlers.reading.json_body import at, listed, words

#: Whose midnight gives Google's daily quotas anew.
ZONE = "America/Los_Angeles"
_DAILY = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_OFTEN = {
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
}
_CREDENTIAL = {
    "keyInvalid": "the key is not valid",
    "API_KEY_INVALID": "the key is not valid",
    "keyExpired": "the key has expired",
    "API_KEY_EXPIRED": "the key has expired",
    "accessNotConfigured": "the API is not switched on in the key's project",
    "SERVICE_DISABLED": "the API is not switched on in the key's project",
    "API_KEY_SERVICE_BLOCKED": "the key is restricted to other APIs",
    "ipRefererBlocked": "the key is restricted to other addresses",
    "API_KEY_IP_ADDRESS_BLOCKED": "the key is restricted to other addresses",
    "API_KEY_HTTP_REFERRER_BLOCKED": "the key is restricted to other sites",
    "authError": "the credential is not valid",
    "UNAUTHENTICATED": "the credential is not valid",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "the token was given for other rights",
    "PERMISSION_DENIED": "the credential has no right to this",
    "forbidden": "the credential has no right to this",
}


def reasons_of(fetched: Fetched) -> tuple[str, ...]:
    """The reasons of a refusal, the most telling first."""
    error = at(body_of(fetched), "error")
    said = [at(one, "reason") for one in listed(at(error, "errors"))]
    said += [at(one, "reason") for one in listed(at(error, "details"))]
    return tuple(filter(None, map(words, [*said, at(error, "status")])))


def explain_google(fetched: Fetched) -> CrawlError | None:
    """A spent quota, a refused credential, a request that is not understood; else None."""
    reasons = reasons_of(fetched)
    said = quoted(at(body_of(fetched), "error", "message"))
    if any(reason in _DAILY for reason in reasons):
        until = next_midnight(fetched.fetched_at, zone=ZONE)
        return QuotaError(f"the day's units are spent{said}", until=until)
    if fetched.status == 429 or any(reason in _OFTEN for reason in reasons):
        return QuotaError(f"too many requests in a short time{said}")
    meaning = next((_CREDENTIAL[reason] for reason in reasons if reason in _CREDENTIAL), None)
    if meaning or fetched.status == 401:
        return AuthError(f"{meaning or 'the credential is not valid'}{said}")
    if fetched.status == 400:
        return CrawlError(f"the API does not accept the request{said}")
    return None
