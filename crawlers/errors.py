"""Why a run could not read its source; each becomes the outcome of the run, in words."""

from __future__ import annotations

from datetime import datetime

from core.errors import GoodnameError
from core.types import RunOutcome
from crawlers.reading.contacts import without_contacts


class CrawlError(GoodnameError):
    """A run that ends early, and as what."""

    outcome = RunOutcome.ERROR


class BlockedError(CrawlError):
    """The site answered with a refusal, a login wall or a challenge page."""

    outcome = RunOutcome.BLOCKED


class DriftError(CrawlError):
    """The page no longer looks as the spider knows it."""

    outcome = RunOutcome.DRIFT


class AuthError(CrawlError):
    """The site wants a credential that we lack or that it refused."""

    outcome = RunOutcome.AUTH


class QuotaError(CrawlError):
    """The budget of a credential is spent; ``until`` says when there is more, if that is known."""

    outcome = RunOutcome.QUOTA

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class SiteError(GoodnameError):
    """A file of ``crawlers.declared`` is no site; says the file, the key and what is known."""


class ParseError(GoodnameError):
    """One item lacks what a post must have; the others of its page go on."""

    def __init__(self, field: str, *, url: str, item: object = None) -> None:
        super().__init__(f"{field}: missing or unreadable at {url}")
        self.field, self.url = field, url
        self.excerpt = without_contacts(repr(item))[:500] if item is not None else ""
