"""Kept posts become mentions and, where a rule says so, alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.types import Severity
from pipeline.alert_rows import evaluate
from pipeline.dead_letters import bury
from pipeline.evidence import pin
from pipeline.ingest import first_line, is_of_content
from pipeline.judge_health import raise_unless_it_judges
from pipeline.judged_text import judged_text
from pipeline.match import Match, about, matcher
from pipeline.mentions import Graded, active_brands, said_before, save_mentions
from pipeline.outbox import enqueue
from pipeline.unjudged import Unjudged, lock_unjudged, mark_judged
from sentiment.judge import Judge

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What came of a batch."""

    posts: int = 0
    mentions: int = 0
    alerts: int = 0
    dead: int = 0
    missed: tuple[int, ...] = ()  #: ids that another transaction held; they want another look

    def __add__(self, other: Assessed) -> Assessed:
        return Assessed(
            posts=self.posts + other.posts,
            mentions=self.mentions + other.mentions,
            alerts=self.alerts + other.alerts,
            dead=self.dead + other.dead,
            missed=self.missed + other.missed,
        )


def judge_posts(
    session: Session,
    post_ids: Sequence[int],
    *,
    judge: Judge,
    now: datetime,
    evidence_from: Severity = Severity.HIGH,
) -> Assessed:
    """Assess those of the posts that wait for it; the caller commits.

    Of mentions at least as severe as ``evidence_from`` the raw answer is kept for good.

    A post on which the judge or a statement breaks is tried once more, alone, and then becomes a
    dead letter; the others are assessed. A database that is away is no fault of a post and raises,
    and so does a judge that breaks on anything.
    """
    posts, missed = lock_unjudged(session, post_ids)
    try:
        with session.begin_nested():
            assessed = assess(
                posts, session=session, judge=judge, now=now, evidence_from=evidence_from
            )
    except Exception as error:
        _raise_unless_of_post(error)
        log.warning("batch_broke", posts=len(posts), reason=first_line(error), exc_info=True)
        assessed = _assess_singly(
            posts, session=session, judge=judge, now=now, evidence_from=evidence_from
        )
    return assessed + Assessed(missed=missed)


def assess(
    posts: Sequence[Unjudged],
    *,
    session: Session,
    judge: Judge,
    now: datetime,
    evidence_from: Severity = Severity.HIGH,
) -> Assessed:
    """Turn a batch of kept posts into mentions and, where a rule says so, alerts.

    What was said of the same version stays as it is: a brand that was added later has the post
    judged once more, and that is no news for the others.
    """
    matched = _unsaid(match(posts, session=session), session=session)
    judgements = judge([judged_text(post.title, post.text) for post, _ in matched])
    graded = [
        Graded(post=post, match=one, judgement=judgement)
        for (post, matches), judgement in zip(matched, judgements, strict=True)
        for one in matches
    ]
    news = save_mentions(session, graded, judge=judge.name, now=now)
    severe = [one for one in graded if one.judgement.severity >= evidence_from]
    pin(session, {(one.post.id, one.post.version) for one in severe})
    raised = evaluate(session, news, now=now)
    enqueue(session, raised, now=now)
    mark_judged(session, posts, now=now)
    return Assessed(posts=len(posts), mentions=len(news), alerts=len(raised))


def match(posts: Sequence[Unjudged], *, session: Session) -> list[tuple[Unjudged, list[Match]]]:
    """The posts that are about a watched brand, each with its brands."""
    find = matcher(active_brands(session))
    found = ((post, find(*readable(post))) for post in posts)
    return [(post, matches) for post, matches in found if matches]


def _unsaid(
    matched: Sequence[tuple[Unjudged, list[Match]]], *, session: Session
) -> list[tuple[Unjudged, list[Match]]]:
    said = said_before(session, [(post.id, post.version) for post, _ in matched])
    left = (
        (post, [one for one in matches if (post.id, one.brand.id) not in said])
        for post, matches in matched
    )
    return [(post, matches) for post, matches in left if matches]


def readable(post: Unjudged) -> tuple[str, ...]:
    """The texts of a post in which a brand may be named."""
    return (post.title or "", post.text, post.url, *about(post.extra), post.source_domain or "")


def _assess_singly(
    posts: Sequence[Unjudged],
    *,
    session: Session,
    judge: Judge,
    now: datetime,
    evidence_from: Severity,
) -> Assessed:
    total = Assessed()
    for post in posts:
        try:
            with session.begin_nested():
                total += assess(
                    [post], session=session, judge=judge, now=now, evidence_from=evidence_from
                )
        except Exception as error:
            _raise_unless_of_post(error)
            raise_unless_it_judges(judge)
            log.warning("post_not_judged", post_id=post.id, exc_info=True)
            _bury(session, post, f"{type(error).__name__}: {first_line(error)}", now=now)
            total += Assessed(posts=1, dead=1)
    return total


def give_up(session: Session, post_ids: Sequence[int], *, reason: str, now: datetime) -> Assessed:
    """Bury posts whose judging ended the process again and again; the caller commits."""
    posts, missed = lock_unjudged(session, post_ids)
    for post in posts:
        _bury(session, post, reason, now=now)
    return Assessed(posts=len(posts), dead=len(posts), missed=missed)


def _bury(session: Session, post: Unjudged, reason: str, *, now: datetime) -> None:
    detail = {"version": post.version, "external_id": f"{post.id} version {post.version}"}
    bury(
        session,
        stage="judge",
        reason=reason,
        now=now,
        source_id=post.source_id,
        post_id=post.id,
        url=post.url,
        detail=detail,
    )
    mark_judged(session, [post], now=now)


def _raise_unless_of_post(error: Exception) -> None:
    if isinstance(error, DBAPIError) and not is_of_content(error):
        raise error
