"""There, missing or gone: decisions about posts that a list no longer shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import GoneReason, Post
from pipeline.changes import Known, change, sightings
from pipeline.presence import CONFIRMED_AFTER, Absent, Walk, gone_reason, of_absent
from pipeline.storable import storable

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def walk(**given: Any) -> Walk:
    values: dict[str, Any] = {"began_at": NOW, "oldest": NOW - 9 * HOUR, "newest": NOW, "seen": 5}
    return Walk(**(values | given))


def test_a_walk_spans_what_it_read_and_counts_it() -> None:
    first = Walk(began_at=NOW).past([(NOW - HOUR, "exact"), (None, "unknown")])
    assert (first.oldest, first.newest, first.seen) == (NOW - HOUR, NOW - HOUR, 1)
    second = first.past([(NOW - 5 * HOUR, "exact"), (NOW - 3 * HOUR, "exact")])
    assert (second.oldest, second.newest, second.seen) == (NOW - 5 * HOUR, NOW - HOUR, 3)


def test_a_day_or_a_month_bounds_only_what_it_surely_bounds() -> None:
    day = NOW.replace(hour=0)
    dated = Walk(began_at=NOW).past([(day, "day"), (day - 40 * 24 * HOUR, "month")])
    assert dated.oldest == day + timedelta(days=1, microseconds=-1)
    assert dated.newest == day


def test_a_walk_survives_being_stored() -> None:
    for one in (walk(), Walk(began_at=NOW)):
        assert Walk.stored(one.to_store()) == one
    broken: object
    for broken in (None, {}, {"began_at": "never"}, [], {"began_at": 3}):
        assert Walk.stored(broken) is None


def test_the_first_absence_makes_missing_and_a_late_second_one_gone() -> None:
    just, long = NOW - HOUR, NOW - CONFIRMED_AFTER
    absent = [Absent(id=n, missing_since=at) for n, at in enumerate((None, just, long))]
    found = of_absent(absent, walk=walk(), now=NOW)
    assert (found.missing, found.waiting, found.gone) == ((0,), (1,), (2,))


def test_where_the_site_can_be_asked_no_absence_makes_a_post_gone() -> None:
    absent = [Absent(id=1, missing_since=NOW - timedelta(days=9), can_ask=True)]
    found = of_absent(absent, walk=walk(), now=NOW)
    assert (found.waiting, found.gone) == ((1,), ())


def test_a_list_that_lost_most_of_its_posts_is_not_believed() -> None:
    absent = [Absent(id=n, missing_since=NOW - timedelta(days=9)) for n in range(6)]
    found = of_absent(absent, walk=walk(seen=5), now=NOW)
    assert not found.is_believed
    assert (found.missing, found.gone) == ((), ())
    assert of_absent(absent[:5], walk=walk(seen=5), now=NOW).is_believed


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"case": {"status": "resolved"}}, GoneReason.REMOVED_AFTER_RESOLUTION),
        ({"case": {"status": " Resolved "}}, GoneReason.REMOVED_AFTER_RESOLUTION),
        ({"case": {"status": "unresolved"}}, GoneReason.DELETED),
        ({"case": {"status": None}}, GoneReason.DELETED),
        ({"case": "resolved"}, GoneReason.DELETED),
        ({}, GoneReason.DELETED),
    ],
)
def test_a_resolved_case_that_disappears_was_settled(extra: Any, reason: GoneReason) -> None:
    assert gone_reason(extra) is reason


# A site's own history of one post, and what an observer may say of it in any order.


@dataclass(frozen=True)
class Told:
    """What the site says at one time; ``text`` is None while the post is gone."""

    at: datetime
    text: str | None
    edited_at: datetime | None


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """A post is written, then edited, deleted and restored, and looked at now and then."""
    tells_edits = draw(st.booleans())
    moments = draw(st.lists(st.sampled_from("SSSEDR"), min_size=1, max_size=10))
    text, edited_at, is_there = "written", None, True
    told = [Told(NOW, text, None)]
    for minute, what in enumerate(moments, start=1):
        at = NOW + timedelta(minutes=minute)
        if what == "E" and is_there:
            text, edited_at = f"edited {minute}", at if tells_edits else None
        elif what in "DR":
            is_there = what == "R"
        told.append(Told(at, text if is_there else None, edited_at))
    return told


State = tuple[str, bool]


def observe(order: list[Told]) -> tuple[State, Known]:
    first, *rest = order
    known = Known(
        id=1,
        version=1,
        content_hash=as_post(first).content_hash,
        history=frozenset(),
        deleted_at=None,
        edited_at=first.edited_at,
        engagement={},
        seen_at=first.at,
        told_at=first.at,
        published_at=None,
        published_quality="unknown",
        extra=MappingProxyType({}),
    )
    text = first.text or ""
    for one in rest:
        known, text = after(known, text, one)
    return (text, known.deleted_at is not None), known


def after(known: Known, text: str, told: Told) -> tuple[Known, str]:
    """What the tables hold after a sighting, as ``post_rows`` writes it."""
    (sighting,) = sightings([storable(as_post(told), now=told.at)])
    found = change(known, sighting)
    if found.is_edited:
        text = told.text or ""
    return (
        replace(
            known,
            version=found.version,
            content_hash=sighting.latest.content_hash if found.is_edited else known.content_hash,
            history=known.history | ({known.content_hash} if found.is_edited else set()),
            deleted_at=told.at if found.is_gone else None if found.is_back else known.deleted_at,
            edited_at=(told.edited_at or known.edited_at) if found.is_edited else known.edited_at,
            seen_at=told.at if found.is_edited else known.seen_at,
            told_at=known.told_at if found.is_stale else max(known.told_at, told.at),
        ),
        text,
    )


def as_post(told: Told) -> Post:
    return Post(
        external_id="x",
        text=told.text or "",
        url="https://board.example/x",
        edited_at=told.edited_at,
        is_deleted=told.text is None,
    )


@settings(deadline=None)
@given(data=st.data(), history=histories())
def test_any_order_of_sightings_gives_the_same_state(
    data: st.DataObject, history: list[Told]
) -> None:
    there = [one for one in history if one.text is not None]
    first = data.draw(st.sampled_from(there))
    rest = [one for one in history if one is not first]
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=3))
    shuffled = data.draw(st.permutations([*rest, *repeats]))
    in_order, _ = observe(history)
    state, known = observe([first, *shuffled])
    assert state == in_order
    assert known.told_at == history[-1].at
