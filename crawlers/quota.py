"""What a credential may spend: counted before a request is sent, the day's spread over the day.

Counting comes first, so a crash can waste a unit and nothing can overspend. All processes count
in one row of ``quota_use``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.models import QuotaUse
from crawlers.contract import Quota, Spider
from crawlers.errors import QuotaError

DAY = timedelta(days=1)
#: What may be spent at once, beside what the hours gone by allow.
_BURST = 0.05
#: So many periods are kept, which may last for a minute.
_REMEMBERED = 60
#: A site may say that nothing is left for longer than the documented period, but not for ever.
_LONGEST_CLOSED = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose budget it is."""

    kind: str
    credential: str  #: its name, never its value
    bucket: str

    def __str__(self) -> str:
        of = f" for {self.bucket}" if self.bucket else ""
        return f"{self.kind}{of}, credential {self.credential!r}"


@dataclass(frozen=True, slots=True)
class Period:
    """The time that one budget is for; ``end`` is the begin of the next."""

    start: datetime
    end: datetime


def period_of(quota: Quota, now: datetime) -> Period:
    """The period that a time lies in: days begin at the zone's midnight, shorter ones in UTC."""
    if quota.period < DAY:
        seconds = max(1, int(quota.period.total_seconds()))
        start = int(now.timestamp()) // seconds * seconds
        return Period(_utc(start), _utc(start + seconds))
    zone, days = ZoneInfo(quota.zone), max(1, quota.period.days)
    first = now.astimezone(zone).date().toordinal() // days * days
    return Period(_midnight(first, zone), _midnight(first + days, zone))


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _midnight(ordinal: int, zone: ZoneInfo) -> datetime:
    return datetime.fromordinal(max(1, ordinal)).replace(tzinfo=zone).astimezone(UTC)


def allowance(quota: Quota, period: Period, now: datetime) -> int:
    """Units that may be spent by now: all in a short period, in days a share of them."""
    if quota.period < DAY:
        return quota.units
    gone = (now - period.start) / (period.end - period.start)
    return min(quota.units, _burst(quota) + int(quota.units * gone))


def _burst(quota: Quota) -> int:
    return max(1, int(quota.units * _BURST))


def refusal(
    quota: Quota, now: datetime, *, used: int, cost: int, closed_until: datetime | None
) -> QuotaError | None:
    """Why ``cost`` units may not be spent now, and when they may; None when they may."""
    period = period_of(quota, now)
    if closed_until is not None and now < closed_until:
        return QuotaError(
            f"the site said that the budget is spent; more at {_said(closed_until)}",
            until=closed_until,
        )
    if cost > quota.units:
        reason = f"one request costs {cost} units, the whole budget is {quota.units}"
        return QuotaError(reason, until=period.end)
    wanted = used + cost
    if wanted > quota.units:
        reason = f"{used} of {quota.units} units are spent; more at {_said(period.end)}"
        return QuotaError(reason, until=period.end)
    if wanted > allowance(quota, period, now):
        until = _when_allowed(quota, period, wanted)
        reason = (
            f"{used} of {quota.units} units are spent, and the rest is spread until"
            f" {_said(period.end)}; more at {_said(until)}"
        )
        return QuotaError(reason, until=until)
    return None


def _when_allowed(quota: Quota, period: Period, wanted: int) -> datetime:
    share = (wanted - _burst(quota)) / quota.units
    length = (period.end - period.start).total_seconds()
    until = period.start + timedelta(seconds=ceil(length * share))
    while allowance(quota, period, until) < wanted and until < period.end:
        until += timedelta(seconds=1)
    return until


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def spend(session: Session, account: Account, quota: Quota, *, cost: int, now: datetime) -> None:
    """Count units that are about to be spent; ``QuotaError`` with its ``until`` counts nothing.

    The row is locked until the transaction ends, so two processes never count the same unit.
    """
    period = period_of(quota, now)
    row = {"kind": account.kind, "credential": account.credential, "bucket": account.bucket}
    opened = session.execute(
        insert(QuotaUse)
        .values(**row, period_start=period.start, used=0)
        .on_conflict_do_nothing()
        .returning(QuotaUse.used)
    ).first()
    if opened is not None:
        old = QuotaUse.period_start < now - _REMEMBERED * quota.period
        is_over = func.coalesce(QuotaUse.exhausted_until, now) <= now
        session.execute(delete(QuotaUse).where(*_of(account), old, is_over))
    mine = (*_of(account), QuotaUse.period_start == period.start)
    used = session.scalars(select(QuotaUse.used).where(*mine).with_for_update()).one()
    closed = closed_until(session, account, now=now)
    if refused := refusal(quota, now, used=used, cost=cost, closed_until=closed):
        raise QuotaError(f"quota of {account}: {refused}", until=refused.until)
    session.execute(update(QuotaUse).where(*mine).values(used=QuotaUse.used + cost))


def close(
    session: Session, account: Account, quota: Quota, *, until: datetime | None, now: datetime
) -> datetime:
    """Believe the site that nothing is left; return when to ask again."""
    period = period_of(quota, now)
    closed = min(until or period.end, now + _LONGEST_CLOSED)
    values = {"exhausted_until": closed}
    session.execute(
        insert(QuotaUse)
        .values(
            kind=account.kind,
            credential=account.credential,
            bucket=account.bucket,
            period_start=period.start,
            used=0,
            **values,
        )
        .on_conflict_do_update(
            index_elements=["kind", "credential", "bucket", "period_start"], set_=values
        )
    )
    return closed


def closed_until(session: Session, account: Account, *, now: datetime) -> datetime | None:
    """Until when the site said that nothing is left; None when that is over."""
    last = func.max(QuotaUse.exhausted_until)
    found = select(last).where(*_of(account), QuotaUse.exhausted_until > now)
    return session.scalars(found).one()


def spent(session: Session, account: Account, quota: Quota, *, now: datetime) -> int:
    """Units counted in the period that ``now`` lies in."""
    start = period_of(quota, now).start
    mine = select(QuotaUse.used).where(*_of(account), QuotaUse.period_start == start)
    return session.scalar(mine) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a budget stands."""

    account: Account
    used: int
    units: int
    closed_until: datetime | None


def states(session: Session, spiders: Mapping[str, Spider], *, now: datetime) -> list[State]:
    """All budgets of which something is spent in the period that ``now`` lies in."""
    found = []
    for row in session.scalars(select(QuotaUse).order_by(QuotaUse.kind, QuotaUse.bucket)):
        spider = spiders.get(row.kind)
        quota = spider.quotas.get(row.bucket) if spider is not None else None
        if quota is None or row.period_start != period_of(quota, now).start:
            continue
        account = Account(row.kind, row.credential, row.bucket)
        closed = closed_until(session, account, now=now)
        state = State(account=account, used=row.used, units=quota.units, closed_until=closed)
        found.append(state)
    return found


def _of(account: Account) -> tuple[ColumnElement[bool], ...]:
    return (
        QuotaUse.kind == account.kind,
        QuotaUse.credential == account.credential,
        QuotaUse.bucket == account.bucket,
    )
