"""How a post came to its alert, though it may have been edited and judged anew since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Mention, MentionJudgement, PostVersion


@dataclass(frozen=True, slots=True)
class Journey:
    """When the text that was told of was first read and judged."""

    seen_at: datetime
    judged_at: datetime | None  #: None when that is no longer known


def journeys(session: Session, told: Iterable[tuple[Any, datetime | None]]) -> list[Journey | None]:
    """Of mentions and when each was told of, in their order.

    The stamps of a mention are those of its newest version; where that came after the alert, those
    of the last version before it count. None: the post itself came later, to an alert of others.
    """
    told = list(told)
    late = [one.id for one, at in told if at is not None and one.seen_at > at]
    seen, judged = (_seen(session, late), _judged(session, late)) if late else ({}, {})
    found: list[Journey | None] = []
    for one, at in told:
        if at is None or one.seen_at <= at:
            found.append(Journey(one.seen_at, one.judged_at))
        elif (first := _last(seen.get(one.id), until=at)) is not None:
            found.append(Journey(first, _last(judged.get(one.id), until=at)))
        else:
            found.append(None)
    return found


def _seen(session: Session, mention_ids: list[int]) -> Mapping[int, list[datetime]]:
    query = select(Mention.id, PostVersion.seen_at).join(
        PostVersion, PostVersion.post_id == Mention.post_id
    )
    return _listed(session.execute(query.where(Mention.id.in_(mention_ids))))


def _judged(session: Session, mention_ids: list[int]) -> Mapping[int, list[datetime]]:
    query = select(MentionJudgement.mention_id, MentionJudgement.judged_at).where(
        MentionJudgement.is_live
    )
    return _listed(session.execute(query.where(MentionJudgement.mention_id.in_(mention_ids))))


def _listed(rows: Iterable[Any]) -> Mapping[int, list[datetime]]:
    found: dict[int, list[datetime]] = {}
    for key, at in rows:
        found.setdefault(key, []).append(at)
    return found


def _last(stamps: list[datetime] | None, *, until: datetime) -> datetime | None:
    return max((at for at in stamps or () if at <= until), default=None)
