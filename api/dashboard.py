"""What the first page shows: a few small queries, each cheap enough to repeat every 2 seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from api.alert_queries import OPEN_STATES, mentions_of, worst_mentions, worst_open
from api.chart import Bar, Bucket, bars
from api.coverage import heard_hours
from api.evidence import Piece, excerpt, headed, pieces
from api.journey import Journey, journeys
from api.queries import EFFECTIVE_SEVERITY, LISTED_TEXT
from api.shown import show_id, show_severity
from api.speed import Step, steps, whole
from core.ids import Prefix
from core.models import Alert, Brand, DeadLetter, Delivery, Mention, Source
from core.types import Severity
from pipeline.heard import HOUR, Hour, summed
from pipeline.judged_text import judged_text

DAY = timedelta(hours=24)
SHOWN_ALERTS = 20
_EXCERPT, _TITLE = 320, 120
_BUCKETS = 24
_SHOWN_GAPS = 2


@dataclass(frozen=True, slots=True)
class BrandDay:
    """One brand's last 24 hours."""

    slug: str
    name: str
    is_active: bool
    counts: list[tuple[str, int]]  #: worst level first, levels without a mention left out
    total: int
    bars: list[Bar]
    span: str  #: what the bars cover, in words
    share_read: float | None = None  #: of the source-hours of the 24 hours; None: none to read


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was said, in pieces, with what justified the grade."""

    title: list[Piece]
    body: list[Piece]


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One open alert as a person meets it."""

    id: str
    state: str
    severity: str
    brand: str
    source: str
    title: list[Piece]
    excerpt: list[Piece]
    url: str | None
    language: str
    author: str | None
    categories: list[str]
    others: int  #: further mentions of the same case
    steps: list[Step]
    seconds: float | None
    acknowledged_by: str | None
    assigned_to: str | None
    deleted_at: datetime | None = None  #: of the worst mention, as the next two
    gone_reason: str | None = None
    missing_since: datetime | None = None


def brand_days(session: Session, *, now: datetime) -> list[BrandDay]:
    """Every brand with its counts by severity; bars by the minute when all is fresh."""
    brands = session.execute(
        select(Brand.id, Brand.slug, Brand.name, Brand.is_active).order_by(Brand.name, Brand.id)
    ).all()
    size = _bucket_size(session, now)
    begins_at = _floor(now, size) - size * (_BUCKETS - 1)
    per_level = _counted(session, since=now - DAY, until=now + DAY)
    bucketed = _bucketed(session, size=size, since=begins_at)
    read = summed(heard_hours(session, since=now - DAY, until=now, now=now), now=now).share_read
    days = [
        _brand_day(brand, per_level, bucketed, begins_at=begins_at, size=size) for brand in brands
    ]
    return [replace(day, share_read=read) for day in days]


def _bucket_size(session: Session, now: datetime) -> timedelta:
    first = session.scalar(select(func.min(Mention.sort_at)).where(Mention.sort_at >= now - DAY))
    minute = timedelta(minutes=1)
    return minute if first and first > now - minute * (_BUCKETS - 1) else minute * 60


def _counted(session: Session, *, since: datetime, until: datetime) -> dict[tuple[int, int], int]:
    query = (
        select(Mention.brand_id, EFFECTIVE_SEVERITY, func.count())
        .where(Mention.sort_at >= since, Mention.sort_at < until)
        .group_by(Mention.brand_id, EFFECTIVE_SEVERITY)
    )
    return {(brand, level): count for brand, level, count in session.execute(query)}


def _bucketed(
    session: Session, *, size: timedelta, since: datetime
) -> dict[tuple[int, datetime], dict[int, int]]:
    bucket = func.date_bin(literal(size), Mention.sort_at, literal(since)).label("bucket")
    query = (
        select(Mention.brand_id, bucket, EFFECTIVE_SEVERITY, func.count())
        .where(Mention.sort_at >= since, Mention.sort_at < since + size * _BUCKETS)
        .group_by(Mention.brand_id, bucket, EFFECTIVE_SEVERITY)
    )
    found: dict[tuple[int, datetime], dict[int, int]] = {}
    for brand, begins_at, level, count in session.execute(query):
        found.setdefault((brand, begins_at), {})[level] = count
    return found


def _brand_day(
    brand: Any,
    per_level: dict[tuple[int, int], int],
    bucketed: dict[tuple[int, datetime], dict[int, int]],
    *,
    begins_at: datetime,
    size: timedelta,
) -> BrandDay:
    counts = [
        (level.label, per_level[brand.id, level])
        for level in sorted(Severity, reverse=True)
        if (brand.id, level) in per_level
    ]
    times = [begins_at + size * place for place in range(_BUCKETS)]
    buckets = [Bucket(at, bucketed.get((brand.id, at), {})) for at in times]
    return BrandDay(
        slug=brand.slug,
        name=brand.name,
        is_active=brand.is_active,
        counts=counts,
        total=sum(count for _, count in counts),
        bars=bars(buckets),
        span="24 hours" if size >= timedelta(hours=1) else "24 minutes",
    )


def _floor(at: datetime, size: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % size


def open_alerts(session: Session) -> tuple[list[AlertCard], int]:
    """The open alerts, worst first, and how many there are in all."""
    rows = worst_open(session, limit=SHOWN_ALERTS)
    worst = worst_mentions(session, [row.Alert.id for row in rows])
    reasons = _reasons(session, [row.id for row in worst.values()])
    ways = journeys_to(session, [(row.Alert, worst.get(row.Alert.id)) for row in rows])
    cards = [
        alert_card(row, worst.get(row.Alert.id), reasons, way=way)
        for row, way in zip(rows, ways, strict=True)
    ]
    count = len(rows)
    if count == SHOWN_ALERTS:
        # Beyond a thousand nobody reads the figure.
        some = select(Alert.id).where(Alert.state.in_(OPEN_STATES)).limit(1000).subquery()
        count = session.scalar(select(func.count()).select_from(some)) or 0
    return cards, count


def _reasons(session: Session, mention_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    query = select(Mention.id, Mention.reasons).where(Mention.id.in_(mention_ids))
    return {row.id: row.reasons for row in session.execute(query)}


def journeys_to(session: Session, alerts: Sequence[tuple[Alert, Any]]) -> list[Journey | None]:
    """How the worst mention of each alert came to it."""
    told = [(worst, alert.triggered_at) for alert, worst in alerts if worst is not None]
    found = iter(journeys(session, told))
    return [None if worst is None else next(found) for _, worst in alerts]


def alert_card(
    row: Any, worst: Any, reasons: dict[int, list[dict[str, Any]]], *, way: Journey | None
) -> AlertCard:
    """Write one row of ``alerts()`` with its worst mention as a card."""
    alert: Alert = row.Alert
    found = alert_steps(alert, worst, way)
    told = evidence_of(worst, reasons) if worst is not None else Evidence([], [])
    return AlertCard(
        id=show_id(Prefix.ALERT, alert.id),
        state=alert.state,
        severity=show_severity(alert.severity),
        brand=row.brand_name,
        source=worst.source if worst is not None else "",
        title=excerpt(told.title, length=_TITLE),
        excerpt=excerpt(told.body, length=_EXCERPT),
        url=worst.url if worst is not None else None,
        language=worst.language if worst is not None else "und",
        author=worst.author if worst is not None else None,
        categories=list(worst.categories) if worst is not None else [],
        others=max(0, row.count - 1),
        steps=found,
        seconds=whole([step for step in found if step.name not in ("acknowledged", "answered")]),
        acknowledged_by=alert.acknowledged_by,
        assigned_to=alert.assigned_to,
        **_presence(worst),
    )


def _presence(worst: Any) -> dict[str, Any]:
    names = ("deleted_at", "gone_reason", "missing_since")
    return {name: getattr(worst, name) for name in names} if worst is not None else {}


def alert_steps(alert: Alert, worst: Any, way: Journey | None) -> list[Step]:
    """From the post to the person who took it."""
    is_exact = way is not None and worst.published_quality == "exact"
    return steps(
        [
            ("published", worst.published_at if is_exact else None),
            ("seen", way.seen_at if way is not None else None),
            ("judged", way.judged_at if way is not None else None),
            ("alerted", alert.triggered_at),
            ("delivered", alert.delivered_at),
            ("acknowledged", alert.acknowledged_at),
            ("answered", alert.answered_at),
            ("resolved", alert.resolved_at),
        ]
    )


def whole_alert_mentions(session: Session, alert_id: int) -> list[tuple[Any, Evidence]]:
    """The mentions of one alert with their evidence."""
    rows = mentions_of(session, alert_id)
    reasons = _reasons(session, [row.id for row in rows])
    return [(row, evidence_of(row, reasons)) for row in rows]


def evidence_of(row: Any, reasons: dict[int, list[dict[str, Any]]]) -> Evidence:
    """A listed text in pieces; unmarked when it was edited after the judge read it."""
    is_judged = row.version == row.current_version
    told = judged_text(row.title, row.text[:LISTED_TEXT])
    found = pieces(told, reasons.get(row.id, []) if is_judged else [])
    return Evidence(*headed(row.title, found))


def sources_now(session: Session) -> Sequence[Source]:
    """Sources that need a look first, then by name."""
    has_failed = Source.failures > 0
    order = (Source.is_enabled.desc(), has_failed.desc(), Source.slug)
    return session.scalars(select(Source).order_by(*order).limit(100)).all()


@dataclass(frozen=True, slots=True)
class Strip:
    """The last 24 hours of one source, as a strip."""

    hours: list[Hour]  #: oldest first, the current one last
    said: str  #: what the strip shows, in words
    gaps: list[tuple[str, str]]  #: when, and why it was not read; newest first


def strips(session: Session, *, now: datetime) -> dict[int, Strip]:
    """A strip for each source, by its key."""
    found = {}
    for source, hours in heard_hours(session, since=now - DAY + HOUR, until=now, now=now):
        heard = summed([(source, hours)], now=now)
        over = heard.read + heard.partly + heard.unread
        found[source.id] = Strip(
            hours=hours,
            said=f"{heard.read} of the last {over} hours read",
            gaps=[
                (_span(gap.since, gap.until, now=now), gap.reason or gap.state)
                for gap in heard.gaps[:_SHOWN_GAPS]
            ],
        )
    return found


def _span(since: datetime, until: datetime, *, now: datetime) -> str:
    """Two moments of the last day, in hours; the first says where it was yesterday."""
    day = "" if since.date() == now.date() else "yesterday "
    return f"{day}{since:%H:%M} to {until:%H:%M}"


def broken_counts(session: Session, *, now: datetime) -> tuple[int, int]:
    """Dead letters of the last 24 hours, and deliveries that reached nobody; up to 1,000 each."""
    letters = select(DeadLetter.id).where(DeadLetter.created_at >= now - DAY).limit(1000)
    dead = select(Delivery.id).where(Delivery.state == "dead").limit(1000)
    counts = [
        session.scalar(select(func.count()).select_from(query.subquery())) or 0
        for query in (letters, dead)
    ]
    return counts[0], counts[1]
