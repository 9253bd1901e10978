"""What the settings file declares becomes rows; what left the file is switched off, not deleted.

A row of the same slug that a person made through the API is taken over by the file: the file is
what an operator reads. Nothing else of the API's is touched.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.declared import BrandEntry, ReceiverEntry, RuleEntry, SourceEntry
from core.errors import SettingsError
from core.models import AlertRule, AlertRuleReceiver, Brand, Receiver, Source, SourceKind
from core.queue import defer_rematch
from core.settings import Settings
from core.types import ReceiverKind, Severity
from pipeline.channels.signature import is_usable
from pipeline.errors import QueryError
from pipeline.query import check_query

_FILE = "file"
_LINK: Any = AlertRuleReceiver.__table__
DEFAULT_RULE = RuleEntry(slug="default", receivers=["log"])
DEFAULT_RECEIVER = ReceiverEntry(slug="log", kind=ReceiverKind.LOG)


def apply_declared(
    session: Session,
    settings: Settings,
    *,
    workspace_id: int,
    now: datetime,
    is_guest: bool = False,
) -> None:
    """Bring brands, sources, receivers and rules of the file into the tables; the caller commits.

    A guest, such as the demo on a server with real data, leaves the sources of the file alone.
    Raises ``SettingsError`` naming the entry. The same file twice changes nothing.
    """
    _refuse_repeated(settings)
    _apply_brands(session, settings.brands, workspace_id=workspace_id, now=now)
    own = frozenset(settings.crawl.allowed_addresses)
    _apply_sources(session, settings.sources, own=own, now=now)
    if not is_guest:
        _switch_off_sources(session, settings.sources, now=now)
    _apply_receivers(session, settings.receivers, workspace_id=workspace_id)
    _apply_rules(session, settings.rules, workspace_id=workspace_id)
    _add_defaults(session, workspace_id)
    if not settings.rules:
        _link_to_default(session, settings.receivers, workspace_id=workspace_id)


def _refuse_repeated(settings: Settings) -> None:
    for kind in ("brands", "sources", "receivers", "rules"):
        slugs = [entry.slug for entry in getattr(settings, kind)]
        repeated = next((slug for slug in slugs if slugs.count(slug) > 1), None)
        if repeated:
            raise SettingsError(f"[[{kind}]] {repeated!r} is declared twice")


def _apply_brands(
    session: Session, entries: Sequence[BrandEntry], *, workspace_id: int, now: datetime
) -> None:
    for entry in entries:
        _check_query(entry)
        values = entry.model_dump(exclude={"slug"}) | {"is_active": True}
        _upsert(session, Brand, {"workspace_id": workspace_id, "slug": entry.slug}, values, now=now)
    _switch_off(session, Brand, entries, workspace_id=workspace_id, now=now)
    changed = select(Brand.id).where(
        Brand.workspace_id == workspace_id, Brand.is_active, Brand.updated_at == now
    )
    for brand_id in session.scalars(changed.order_by(Brand.id)).all():
        defer_rematch(session, brand_id)


def _check_query(entry: BrandEntry) -> None:
    if entry.query is None:
        return
    try:
        check_query(entry.query)
    except QueryError as error:
        raise SettingsError(f"[[brands]] {entry.slug!r}: query: {error}") from None


def _apply_sources(
    session: Session, entries: Sequence[SourceEntry], *, own: Collection[str], now: datetime
) -> None:
    rows = session.execute(select(SourceKind.kind, SourceKind.minimum_interval_seconds))
    minimum: dict[str, int] = dict(rows.all())
    for entry in entries:
        _check_source(entry, minimum, own=own)
    _refuse_off(session, entries)
    for entry in entries:
        _upsert(session, Source, {"slug": entry.slug}, entry.model_dump(exclude={"slug"}), now=now)
    # What was just changed is crawled now, and not only after a due time that was set before it.
    changed = update(Source).where(
        Source.slug.in_(_slugs(entries)), Source.updated_at == now, Source.next_due_at > now
    )
    session.execute(changed.values(next_due_at=now))


def _refuse_off(session: Session, entries: Sequence[SourceEntry]) -> None:
    """Name every source whose kind is off, and the one line that turns them all on."""
    kinds = session.execute(
        select(SourceKind.kind, SourceKind.needs_opt_in, SourceKind.is_opted_in)
    )
    named = {kind: is_on for kind, needs, is_on in kinds if needs}
    off = [one for one in entries if one.is_enabled and not named.get(one.kind, True)]
    if not off:
        return
    told = "".join(f"\n  [[sources]] {one.slug!r} ({one.kind})" for one in off)
    wanted = {kind for kind, is_on in named.items() if is_on} | {one.kind for one in off}
    line = ", ".join(f'"{kind}"' for kind in sorted(wanted))
    raise SettingsError(
        "the kinds of these sources are off until you name them; docs/sources.md says why:"
        f"{told}\nwrite in settings.toml, under [crawl]: opted_in = [{line}]"
        "\nor is_enabled = false under each source that shall wait"
    )


def _switch_off_sources(session: Session, entries: Sequence[SourceEntry], *, now: datetime) -> None:
    gone = (
        update(Source)
        .where(Source.managed_by == _FILE, Source.slug.not_in(_slugs(entries)))
        .where(Source.is_enabled)
    )
    session.execute(gone.values(is_enabled=False, updated_at=now))


def _check_source(entry: SourceEntry, minimum: dict[str, int], *, own: Collection[str]) -> None:
    where = f"[[sources]] {entry.slug!r}"
    if entry.kind not in minimum:
        raise SettingsError(f"{where}: unknown kind {entry.kind!r}{_nearest(entry.kind, minimum)}")
    if entry.interval_seconds < minimum[entry.kind] and not _is_own(entry, own):
        raise SettingsError(
            f"{where}: interval_seconds: {entry.kind} is crawled at most every "
            f"{minimum[entry.kind]} seconds (given: {entry.interval_seconds})"
        )


def _is_own(entry: SourceEntry, own: Collection[str]) -> bool:
    """Whether it lies on an address that the operator opened: a site of our own needs no rest."""
    addresses = (entry.params.get(name) for name in ("url", "base_url"))
    return any(urlsplit(str(url)).netloc in own for url in addresses if url)


def _apply_receivers(
    session: Session, entries: Sequence[ReceiverEntry], *, workspace_id: int
) -> None:
    for entry in entries:
        secret = entry.secret.get_secret_value() if entry.secret else None
        if secret is not None and not is_usable(secret):
            raise SettingsError(
                f"[[receivers]] {entry.slug!r}: secret: write whsec_ and base64 of 24 to 64 bytes"
            )
        values = {
            "kind": entry.kind.value,
            "address": entry.address,
            "secret": secret,
            "is_active": True,
            "is_operations": entry.is_operations,
        }
        _upsert(session, Receiver, {"workspace_id": workspace_id, "slug": entry.slug}, values)
    _switch_off(session, Receiver, entries, workspace_id=workspace_id)


def _apply_rules(session: Session, entries: Sequence[RuleEntry], *, workspace_id: int) -> None:
    brands = _ids(session, Brand, workspace_id)
    receivers = _ids(session, Receiver, workspace_id)
    for entry in entries:
        where = f"[[rules]] {entry.slug!r}"
        brand_id = _known(entry.brand, brands, f"{where}: unknown brand") if entry.brand else None
        told = [_known(slug, receivers, f"{where}: unknown receiver") for slug in entry.receivers]
        _upsert_rule(session, entry, workspace_id=workspace_id, brand_id=brand_id, told=told)
    _switch_off(session, AlertRule, entries, workspace_id=workspace_id)


def _upsert_rule(
    session: Session,
    entry: RuleEntry,
    *,
    workspace_id: int,
    brand_id: int | None,
    told: Sequence[int],
    managed_by: str = _FILE,
) -> None:
    at_once, grouped = Severity.of(entry.at_once), Severity.of(entry.grouped)
    values = {
        "brand_id": brand_id,
        "sentiments": [sentiment.value for sentiment in entry.sentiments],
        "at_once_severity": at_once.value,
        "group_severity": grouped.value,
        "group_wait_seconds": entry.group_wait_seconds,
        "is_active": True,
    }
    key = {"workspace_id": workspace_id, "slug": entry.slug}
    rule_id = _upsert(session, AlertRule, key, values, managed_by=managed_by)
    session.execute(
        _LINK.delete().where(_LINK.c.rule_id == rule_id, _LINK.c.receiver_id.not_in(told))
    )
    _link(session, rule_id, told, workspace_id=workspace_id)


def _add_defaults(session: Session, workspace_id: int) -> None:
    """A workspace without any rule gets one that tells the log; people change it by the API."""
    held = select(func.count()).where(
        AlertRule.workspace_id == workspace_id,
        or_(AlertRule.is_active, AlertRule.managed_by != _FILE),
    )
    if session.scalar(held):
        return
    receivers = _ids(session, Receiver, workspace_id)
    if DEFAULT_RECEIVER.slug not in receivers:
        key = {"workspace_id": workspace_id, "slug": DEFAULT_RECEIVER.slug}
        values = {"kind": ReceiverKind.LOG.value, "address": ""}
        receivers[DEFAULT_RECEIVER.slug] = _upsert(session, Receiver, key, values, managed_by="api")
    _upsert_rule(
        session,
        DEFAULT_RULE,
        workspace_id=workspace_id,
        brand_id=None,
        told=[receivers[DEFAULT_RECEIVER.slug]],
        managed_by="api",
    )


def _link_to_default(
    session: Session, entries: Sequence[ReceiverEntry], *, workspace_id: int
) -> None:
    """Without rules in the file its receivers are told by the default rule, and not by nobody."""
    rule_id = _ids(session, AlertRule, workspace_id).get(DEFAULT_RULE.slug)
    receivers = _ids(session, Receiver, workspace_id)
    if rule_id is not None:
        told = [receivers[entry.slug] for entry in entries if not entry.is_operations]
        _link(session, rule_id, told, workspace_id=workspace_id)


def _link(session: Session, rule_id: int, told: Sequence[int], *, workspace_id: int) -> None:
    rows = [
        {"rule_id": rule_id, "receiver_id": receiver_id, "workspace_id": workspace_id}
        for receiver_id in told
    ]
    if rows:
        session.execute(insert(_LINK).on_conflict_do_nothing(), rows)


def _upsert(
    session: Session,
    table: Any,
    key: dict[str, Any],
    values: dict[str, Any],
    *,
    managed_by: str = _FILE,
    now: datetime | None = None,
) -> int:
    """Insert or bring up to date; a row that says the same already is left untouched."""
    columns = table.__table__.c
    wanted = values | {"managed_by": managed_by}
    found = session.execute(
        select(columns.id, *(columns[name] for name in wanted)).where(
            *(columns[name] == value for name, value in key.items())
        )
    ).one_or_none()
    if found is not None and all(getattr(found, name) == wanted[name] for name in wanted):
        return int(found.id)
    if now is not None:
        wanted = wanted | {"updated_at": now}
    statement = insert(table.__table__).values(**key, **wanted)
    written = session.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=wanted).returning(columns.id)
    )
    return int(written.scalar_one())


def _switch_off(
    session: Session,
    table: Any,
    entries: Sequence[Any],
    *,
    workspace_id: int,
    now: datetime | None = None,
) -> None:
    gone = (
        update(table)
        .where(table.workspace_id == workspace_id, table.managed_by == _FILE)
        .where(table.slug.not_in(_slugs(entries)), table.is_active)
    )
    stamp = {} if now is None else {"updated_at": now}
    session.execute(gone.values(is_active=False, **stamp))


def _slugs(entries: Sequence[Any]) -> list[str]:
    return [entry.slug for entry in entries]


def _ids(session: Session, table: Any, workspace_id: int) -> dict[str, int]:
    rows = session.execute(select(table.slug, table.id).where(table.workspace_id == workspace_id))
    return dict(rows.all())


def _known(slug: str, ids: dict[str, int], complaint: str) -> int:
    if slug not in ids:
        raise SettingsError(f"{complaint} {slug!r}{_nearest(slug, ids)}")
    return ids[slug]


def _nearest(given: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(given, sorted(known), n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(sorted(known)) or 'none'}"
