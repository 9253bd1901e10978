"""What a page says beside its posts: who is gone, where each was read, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Source
from core.types import RunOutcome
from crawlers.contract import Family, Fetched, Page, Spider
from crawlers.engine.memory import KEY, without_validators
from crawlers.engine.office import Office
from crawlers.engine.record import Begun
from crawlers.engine.signing import Signing
from crawlers.engine.verdict import Verdict
from crawlers.reading.contacts import without_contacts
from pipeline.evidence import Answer, keep_answer
from pipeline.ingest import Kept
from pipeline.presence import Walk
from pipeline.presence_rows import note_listed, reconcile, remove
from pipeline.revisit_rows import plan


def can_ask(spider: Spider) -> bool:
    """Whether a spider knows a way to ask for single posts again."""
    return type(spider).recheck is not Spider.recheck


def note_aside(
    session: Session,
    begun: Begun,
    page: Page,
    kept: Kept,
    *,
    fetched: Fetched,
    office: Office,
    signing: Signing,
    now: datetime,
) -> None:
    """Write it, in the transaction that keeps the posts."""
    source_id = begun.source_id
    told_until = now if signing.spider.is_in_order else begun.began_at
    remove(session, page.gone, source_id=source_id, now=now, told_until=told_until)
    unread = [one.external_id for one in page.problems if one.external_id]
    note_listed(session, unread, source_id=source_id, now=now)
    shown = fetched if page.excerpt is None else replace(fetched, body=page.excerpt)
    keep_evidence(session, begun, kept, fetched=shown, office=office, signing=signing)
    if can_ask(signing.spider):
        plan(session, kept.new_ids, now=now)


def keep_evidence(
    session: Session, begun: Begun, kept: Kept, *, fetched: Fetched, office: Office,
    signing: Signing,
) -> None:  # fmt: skip
    """Keep the answer of a page with news."""
    news = [*kept.new_ids, *kept.changed_ids]
    if news and len(fetched.body) <= office.evidence.max_body_bytes:
        answer, settings = _shown(fetched, signing), office.evidence
        keep_answer(session, answer, post_ids=news, source_id=begun.source_id, settings=settings)


def _shown(fetched: Fetched, signing: Signing) -> Answer:
    """An answer as it may be shown to others than the owner of the credential.

    Sites repeat tokens in the links to their next pages; APIs tell how to reach who wrote.
    """
    body = signing.hidden(fetched.body.decode("latin-1"))
    if signing.spider.family is Family.JSON_API:
        body = without_contacts(body)
    return Answer(
        url=signing.hidden(fetched.url),
        status=fetched.status,
        headers=fetched.headers,
        body=body.encode("latin-1"),
        fetched_at=fetched.fetched_at,
    )


def compare(
    session: Session, begun: Begun, verdict: Verdict, walk: Walk | None, *, spider: Spider,
    now: datetime,
) -> None:  # fmt: skip
    """After a whole run over a list without gaps: who should have been on it, and was not?"""
    if walk is None or not verdict.is_whole or verdict.outcome is not RunOutcome.OK:
        return
    is_askable = can_ask(spider)
    found = reconcile(session, walk, source_id=begun.source_id, can_ask=is_askable, now=now)
    if found.waiting or (found.missing and not is_askable):
        # The list has to be read again: that it has not changed would confirm nothing.
        source = session.scalar(select(Source).where(Source.id == begun.source_id))
        if source is not None and KEY in source.cursor:
            source.cursor = without_validators(source.cursor)
