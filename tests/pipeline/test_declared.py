"""What the settings file declares becomes rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.declared import SourceEntry
from core.errors import SettingsError
from core.models import AlertRule, AlertRuleReceiver, Brand, Receiver, Source, SourceKind
from core.settings import Settings
from pipeline.declared import apply_declared
from tests.factories import add_brand, add_source, add_workspace
from tests.pipeline.conftest import SECRET

FILE: dict[str, Any] = {
    "brands": [{"slug": "voltano", "name": "Voltano", "aliases": ["VLT"], "query": None}],
    "sources": [{"slug": "board", "kind": "feed", "params": {"url": "https://board.example/rss"}}],
    "receivers": [
        {"slug": "hook", "kind": "webhook", "address": "https://a.example/", "secret": SECRET}
    ],
    "rules": [{"slug": "bad", "brand": "voltano", "at_once": "critical", "receivers": ["hook"]}],
}


@pytest.fixture
def workspace_id(session: Session) -> int:
    add_source(session)  # so that the kind "feed" is known
    return add_workspace(session).id


def apply(session: Session, workspace_id: int, now: datetime, **given: Any) -> None:
    settings = Settings.model_validate(FILE | given)
    apply_declared(session, settings, workspace_id=workspace_id, now=now)


def rows(session: Session, table: Any) -> dict[str, Any]:
    session.expire_all()
    return {row.slug: row for row in session.scalars(select(table))}


def told(session: Session) -> set[tuple[str, str]]:
    found = session.execute(
        select(AlertRule.slug, Receiver.slug)
        .join(AlertRuleReceiver, AlertRuleReceiver.rule_id == AlertRule.id)
        .join(Receiver, Receiver.id == AlertRuleReceiver.receiver_id)
    )
    return {(rule, receiver) for rule, receiver in found}


def test_what_is_declared_becomes_rows_of_the_file(
    session: Session, workspace_id: int, now: datetime
) -> None:
    apply(session, workspace_id, now)
    brand = rows(session, Brand)["voltano"]
    rule = rows(session, AlertRule)["bad"]
    assert (brand.name, brand.aliases, brand.is_active) == ("Voltano", ["VLT"], True)
    assert rows(session, Source)["board"].params == {"url": "https://board.example/rss"}
    assert rows(session, Receiver)["hook"].secret == SECRET
    assert (rule.brand_id, rule.at_once_severity, rule.group_severity) == (brand.id, 4, 2)
    assert {row.managed_by for row in (brand, rule)} == {"file"}
    assert told(session) == {("bad", "hook")}


def test_the_same_file_twice_changes_nothing(
    session: Session, workspace_id: int, now: datetime
) -> None:
    apply(session, workspace_id, now)
    first = rows(session, Brand)["voltano"].updated_at
    apply(session, workspace_id, now + timedelta(days=1))
    assert rows(session, Brand)["voltano"].updated_at == first
    assert len(rows(session, AlertRule)) == 1


def test_a_changed_source_is_due_at_once_and_an_unchanged_one_when_it_was(
    session: Session, workspace_id: int, now: datetime
) -> None:
    apply(session, workspace_id, now)
    tomorrow = now + timedelta(days=1)
    rows(session, Source)["board"].next_due_at = tomorrow
    later = now + timedelta(hours=1)
    apply(session, workspace_id, later)
    assert rows(session, Source)["board"].next_due_at == tomorrow
    more_often = [FILE["sources"][0] | {"interval_seconds": 120}]
    apply(session, workspace_id, later, sources=more_often)
    assert rows(session, Source)["board"].next_due_at == later


def test_what_left_the_file_is_switched_off_and_comes_back(
    session: Session, workspace_id: int, now: datetime
) -> None:
    apply(session, workspace_id, now)
    apply(session, workspace_id, now, brands=[], sources=[], receivers=[], rules=[])
    assert rows(session, Brand)["voltano"].is_active is False
    assert rows(session, Source)["board"].is_enabled is False
    assert rows(session, Receiver)["hook"].is_active is False
    assert rows(session, AlertRule)["bad"].is_active is False
    assert told(session) == {("bad", "hook"), ("default", "log")}
    apply(session, workspace_id, now)
    assert rows(session, Brand)["voltano"].is_active is True
    assert rows(session, Source)["board"].is_enabled is True


def test_what_the_api_made_is_left_alone(
    session: Session, workspace_id: int, now: datetime
) -> None:
    from core.models import Workspace

    add_brand(session, session.get_one(Workspace, workspace_id), slug="mine")
    apply(session, workspace_id, now)
    assert rows(session, Brand)["mine"].is_active is True


def test_an_empty_file_gives_a_default_rule_that_tells_the_log(
    session: Session, workspace_id: int, now: datetime
) -> None:
    nothing: dict[str, Any] = {"brands": [], "sources": [], "receivers": [], "rules": []}
    for _ in range(2):
        apply(session, workspace_id, now, **nothing)
    rule = rows(session, AlertRule)["default"]
    assert (rule.sentiments, rule.at_once_severity, rule.group_severity) == (["negative"], 3, 2)
    assert (rule.brand_id, rule.is_active, rule.managed_by) == (None, True, "api")
    assert told(session) == {("default", "log")}


def test_receivers_without_rules_are_told_by_the_default(
    session: Session, workspace_id: int, now: datetime
) -> None:
    apply(session, workspace_id, now, rules=[])
    assert told(session) == {("default", "log"), ("default", "hook")}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sources": [{"slug": "b", "kind": "fead"}]}, "unknown kind 'fead'; did you mean 'feed'"),
        ({"sources": [{"slug": "b", "kind": "zzz"}]}, "known: feed"),
        ({"sources": [{"slug": "b", "kind": "feed", "interval_seconds": 5}]}, "every 60 seconds"),
        ({"rules": [{"slug": "r", "brand": "voltana"}]}, "did you mean 'voltano'"),
        ({"rules": [{"slug": "r", "receivers": ["hok"]}]}, "did you mean 'hook'"),
        ({"brands": [{"slug": "v", "name": "V", "query": "a AND"}]}, "'v': query: something is"),
        (
            {"receivers": [{"slug": "h", "kind": "webhook", "address": "x", "secret": "abc"}]},
            "whsec_",
        ),
        ({"brands": [{"slug": "v", "name": "V"}, {"slug": "v", "name": "W"}]}, "declared twice"),
    ],
)
def test_a_mistake_names_the_entry_and_the_nearest(
    session: Session, workspace_id: int, now: datetime, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        apply(session, workspace_id, now, **given)


def test_a_brand_is_looked_for_in_the_kept_posts_when_its_entry_is_new_or_changed(
    session: Session, workspace_id: int, now: datetime
) -> None:
    def looked_for() -> list[str]:
        names = "SELECT slug FROM brand WHERE id = ANY(:ids) ORDER BY slug"
        jobs = text("DELETE FROM procrastinate_jobs RETURNING (args->'brand_id')::bigint")
        return list(session.scalars(text(names), {"ids": list(session.scalars(jobs))}))

    apply(session, workspace_id, now)
    assert looked_for() == ["voltano"]
    apply(session, workspace_id, now + timedelta(hours=1))
    assert looked_for() == []
    more = [*FILE["brands"], {"slug": "solaris", "name": "Solaris"}]
    apply(session, workspace_id, now + timedelta(hours=2), brands=more)
    assert looked_for() == ["solaris"]
    more[0] = more[0] | {"aliases": ["VLT", "Volt"]}
    apply(session, workspace_id, now + timedelta(hours=3), brands=more)
    assert looked_for() == ["voltano"]
    apply(session, workspace_id, now + timedelta(hours=4), brands=more[1:], rules=[])
    assert looked_for() == []


def test_a_guest_leaves_the_sources_of_the_file_alone(session: Session, now: datetime) -> None:
    owner, guest = add_workspace(session), add_workspace(session)
    add_source(session, slug="of-the-file", managed_by="file")
    entry = SourceEntry(slug="of-the-guest", kind="feed", params={"url": "https://x.example/"})
    apply_declared(
        session, Settings(sources=[entry]), workspace_id=guest.id, now=now, is_guest=True
    )
    assert _enabled(session) == ["of-the-file", "of-the-guest"]
    apply_declared(session, Settings(sources=[entry]), workspace_id=owner.id, now=now)
    assert _enabled(session) == ["of-the-guest"]


def _enabled(session: Session) -> list[str]:
    shown = select(Source.slug).where(Source.is_enabled).order_by(Source.slug)
    return list(session.scalars(shown))


def test_every_source_that_is_off_is_named_with_the_line_that_turns_all_on(
    session: Session, workspace_id: int, now: datetime
) -> None:
    for kind, is_on in (("wykop", False), ("bbb", False), ("isso", True)):
        add_source(session, kind=kind)
        row = session.get_one(SourceKind, kind)
        row.needs_opt_in, row.is_opted_in = True, is_on
    session.flush()
    declared = [
        {"slug": f"our-{kind}", "kind": kind, "is_enabled": kind != "isso", "params": {}}
        for kind in ("wykop", "feed", "bbb", "isso")
    ]
    waiting = {"slug": "waiting", "kind": "bbb", "is_enabled": False, "params": {}}
    with pytest.raises(SettingsError) as refused:
        apply(session, workspace_id, now, sources=[*declared, waiting])
    said = str(refused.value)
    assert "[[sources]] 'our-wykop' (wykop)\n  [[sources]] 'our-bbb' (bbb)\n" in said
    assert 'under [crawl]: opted_in = ["bbb", "isso", "wykop"]' in said
    assert not any(name in said for name in ("our-feed", "our-isso", "waiting"))
