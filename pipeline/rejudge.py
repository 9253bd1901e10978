"""Old mentions are graded again by the judge of today, and nobody is woken for the past.

Only the grade, the judge's name and ``rejudged_at`` of a mention change, and what they replace is
kept. No rule is asked; a human correction stays and stays the shown grade. A mention that an alert
still on its way speaks of is left for later, so that people read what the alert was made for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Text, bindparam, cast, select, tuple_, update
from sqlalchemy.orm import Session

from core.models import AlertMention, DeadLetter, Delivery, Mention, PostRow, PostVersion
from core.types import DeliveryState
from pipeline.dead_letters import bury
from pipeline.ingest import first_line
from pipeline.judge_health import raise_unless_it_judges
from pipeline.judged_text import judged_text
from pipeline.judgements import GRADE, grade_values, keep_replaced, known_grades
from sentiment.judge import Judge

log = structlog.get_logger()

_MENTION: Any = Mention.__table__
_POST: Any = PostRow.__table__
_EARLIER: Any = PostVersion.__table__
_DEAD: Any = DeadLetter.__table__
_STAGE = "rejudge"

_Version = tuple[int, int]  #: id and version of a post
_Grades = dict[_Version, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which mentions a run brings up to date."""

    judge: str  #: those of another judge are outdated
    brand_ids: tuple[int, ...] | None = None  #: None: every brand of every workspace
    since: datetime | None = None  #: published, else seen, from then on

    def scope(self) -> list[ColumnElement[bool]]:
        """Its brands and times, as conditions on ``mention``."""
        m = _MENTION.c
        brands = [] if self.brand_ids is None else [m.brand_id.in_(self.brand_ids)]
        return brands if self.since is None else [*brands, m.sort_at >= self.since]

    def outdated(self) -> list[ColumnElement[bool]]:
        """Its scope without what the judge has graded, and without what broke it."""
        m, d = _MENTION.c, _DEAD.c
        has_broken_it = (
            select(d.id)
            .where(d.post_id == m.post_id, d.stage == _STAGE)
            .where(d.detail["judge"].astext == self.judge)
            .where(d.detail["version"].astext == cast(m.post_version, Text))
            .correlate(_MENTION)
            .exists()
        )
        return [*self.scope(), m.judge != self.judge, ~has_broken_it]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """What came of a batch."""

    last_id: int | None = None  #: of the last post looked at; None at the end of the lane
    mentions: int = 0
    texts: int = 0  #: that the judge had to read
    dead: int = 0  #: mentions whose text broke the judge; they keep their grade
    missed: int = 0  #: mentions that somebody else holds, or whose alert is on its way


def rejudge_batch(
    session: Session,
    chosen: Chosen,
    *,
    judge: Judge,
    after_id: int,
    until_id: int | None,
    limit: int,
    now: datetime,
    given_up: str | None = None,
) -> Rejudged:
    """Grade the outdated mentions of the next ``limit`` posts; the caller commits.

    A version of a post is read once, however many brands it mentions and whenever they ask.
    ``given_up`` is the reason for which these posts are not tried any more.
    """
    if judge.name != chosen.judge:
        raise ValueError(f"the run wants {chosen.judge!r} and not {judge.name!r}")
    post_ids = _next_posts(session, chosen, after_id=after_id, until_id=until_id, limit=limit)
    if not post_ids:
        return Rejudged()
    outdated, missed = _lock_outdated(session, chosen, post_ids)
    versions = list(dict.fromkeys((row.post_id, row.post_version) for row in outdated))
    grades = known_grades(session, versions, judge=judge.name)
    unread = [version for version in versions if version not in grades]
    texts = {} if given_up else _texts(session, unread)
    grades |= _judge(texts, judge=judge)
    _write(session, outdated, grades, judge=judge.name, now=now)
    dead = [row for row in outdated if (row.post_id, row.post_version) not in grades]
    for version in dict.fromkeys((row.post_id, row.post_version) for row in dead):
        why = given_up or ("the judge broke on it" if version in texts else "its text is gone")
        _bury(session, version, why, judge=judge.name, now=now)
    return Rejudged(
        last_id=post_ids[-1],
        mentions=len(outdated) - len(dead),
        texts=len(texts),
        dead=len(dead),
        missed=missed,
    )


def _next_posts(
    session: Session, chosen: Chosen, *, after_id: int, until_id: int | None, limit: int
) -> list[int]:
    m = _MENTION.c
    query = select(m.post_id).distinct().where(m.post_id > after_id, *chosen.outdated())
    if until_id is not None:
        query = query.where(m.post_id <= until_id)
    return list(session.scalars(query.order_by(m.post_id).limit(limit)))


def _lock_outdated(
    session: Session, chosen: Chosen, post_ids: Sequence[int]
) -> tuple[list[Any], int]:
    """The outdated mentions of these posts that may be graded now, and the number of the others.

    Whoever judges or edits a post locks it, and so do we: its mentions stand still meanwhile.
    """
    m, p = _MENTION.c, _POST.c
    locked = session.scalars(
        select(p.id)
        .where(p.id.in_(post_ids))
        .order_by(p.id)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    is_told_soon = (
        select(AlertMention.mention_id)
        .join(Delivery, Delivery.alert_id == AlertMention.alert_id)
        .where(AlertMention.mention_id == m.id, Delivery.state == DeliveryState.PENDING)
        .exists()
    )
    rows = session.execute(
        select(m.id, m.post_id, m.post_version, is_told_soon.label("is_told_soon"))
        .where(m.post_id.in_(post_ids), *chosen.outdated())
        .order_by(m.post_id, m.id)
    ).all()
    free = set(locked)
    found = [row for row in rows if row.post_id in free and not row.is_told_soon]
    return found, len(rows) - len(found)


def _texts(session: Session, versions: Sequence[_Version]) -> dict[_Version, str]:
    """What is to be read of each version; an edit since then has moved it to ``post_version``."""
    if not versions:
        return {}
    p, e = _POST.c, _EARLIER.c
    now = select(p.id, p.version, p.title, p.text).where(tuple_(p.id, p.version).in_(versions))
    before = select(e.post_id, e.version, e.title, e.text).where(
        tuple_(e.post_id, e.version).in_(versions)
    )
    return {
        (id_, version): judged_text(title, text)
        for query in (before, now)
        for id_, version, title, text in session.execute(query)
    }


def _judge(texts: Mapping[_Version, str], *, judge: Judge) -> _Grades:
    """All at once; when that breaks each alone, and what breaks alone has no grade.

    A judge that breaks on anything raises.
    """
    if not texts:
        return {}
    try:
        said = judge(list(texts.values()))
        return {version: grade_values(one) for version, one in zip(texts, said, strict=True)}
    except Exception as error:
        if len(texts) == 1:
            raise_unless_it_judges(judge)
            log.warning("post_not_rejudged", posts=[id_ for id_, _ in texts], exc_info=True)
            return {}
        log.warning("batch_broke", posts=len(texts), reason=first_line(error))
    grades: _Grades = {}
    for version, text in texts.items():
        grades |= _judge({version: text}, judge=judge)
    return grades


def _write(
    session: Session, outdated: Sequence[Any], grades: _Grades, *, judge: str, now: datetime
) -> None:
    rows = [row for row in outdated if (row.post_id, row.post_version) in grades]
    if not rows:
        return
    keep_replaced(session, [row.id for row in rows])
    session.connection().execute(
        update(_MENTION)
        .where(_MENTION.c.id == bindparam("key"))
        .values(judge=judge, rejudged_at=now, **{name: bindparam(f"new_{name}") for name in GRADE}),
        [
            {"key": row.id}
            | {f"new_{name}": grades[row.post_id, row.post_version][name] for name in GRADE}
            for row in rows
        ],
    )


def _bury(session: Session, version: _Version, reason: str, *, judge: str, now: datetime) -> None:
    """Its mentions keep their grade, and this judge does not try it again."""
    post_id, number = version
    post = session.execute(
        select(_POST.c.source_id, _POST.c.url).where(_POST.c.id == post_id)
    ).one()
    bury(
        session,
        stage=_STAGE,
        reason=f"{judge}: {reason}",
        now=now,
        source_id=post.source_id,
        post_id=post_id,
        url=post.url,
        detail={
            "judge": judge,
            "version": number,
            "external_id": f"{post_id} version {number}",
        },
    )
