"""A page that held posts and is empty now is never simply a quiet day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.models import CrawlRun
from core.types import RunOutcome
from crawlers.contract import Promise
from crawlers.engine.past import load_past
from crawlers.engine.profile import Profile
from crawlers.engine.record import Begun, begin
from crawlers.engine.suspicion import USUAL_AFTER, Earlier, spoils, weigh
from crawlers.engine.verdict import Verdict
from tests.factories import add_source

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OK = Verdict(outcome=RunOutcome.OK, reason="the site says that there is nothing", is_whole=True)


def _found(counts: Sequence[int]) -> list[Earlier]:
    """Healthy runs that found so many posts on the first page, newest first."""
    made = []
    for number, count in enumerate(counts):
        profile = replace(Profile(), posts=count, first_count=count, first_key="page")
        at = NOW - timedelta(hours=number + 1)
        made.append(Earlier(at=at, is_ok=True, profile=profile.as_json()))
    return made


def _outcome(counts: Sequence[int]) -> RunOutcome:
    empty = replace(Profile(), first_key="page")
    return weigh(OK, empty, promise=Promise(), past=_found(counts), now=NOW)[0].outcome


@pytest.mark.parametrize("counts", [(6,), (6, 6, 6), (0, 6), (0, 0, 6, 7), (2, 3, 2)])
def test_an_empty_page_that_held_posts_is_drift(counts: tuple[int, ...]) -> None:
    assert _outcome(counts) is RunOutcome.DRIFT


@pytest.mark.parametrize("counts", [(), (0,), (1, 1, 1), (2,), (0, 2), (0,) * 7 + (9,)])
def test_a_page_that_is_mostly_empty_may_be_empty(counts: tuple[int, ...]) -> None:
    assert _outcome(counts) is RunOutcome.OK


def _begun(session: Session) -> Begun:
    found = begin(session, add_source(session).id, now=NOW)
    assert found is not None
    return found


def _ended(session: Session, begun: Begun, profile: Profile, *, hours: int, **more: object) -> None:
    """A healthy run of so many hours ago."""
    stored = profile.as_json() | {"for": begun.made_for} | more
    at, source_id = NOW - timedelta(hours=hours), begun.source_id
    session.add(CrawlRun(source_id=source_id, outcome=RunOutcome.OK, started_at=at, profile=stored))
    session.flush()


def test_a_night_without_a_change_does_not_make_a_source_unknown(session: Session) -> None:
    begun, read = _begun(session), replace(Profile(), posts=9, first_count=9, first_key="page")
    for hours in (102, 101):
        _ended(session, begun, read, hours=hours)
    for hours in range(1, 101):
        _ended(session, begun, Profile(), hours=hours, unread=["x"] if hours == 1 else [])
    past = load_past(session, begun)
    assert [one.count("first_count") for one in past if one.has_read] == [9, 9]
    assert past[0].profile["unread"] == ["x"], "the last run hands on what it remembers"
    empty = replace(Profile(), first_key="page")
    assert weigh(OK, empty, promise=Promise(), past=past, now=NOW)[0].outcome is RunOutcome.DRIFT
    assert spoils(9, 9, past), "a garbled page is known as such"


def test_only_runs_with_the_same_params_are_compared(session: Session) -> None:
    begun = _begun(session)
    _ended(session, begun, replace(Profile(), first_key="page"), hours=1, **{"for": "others"})
    assert load_past(session, begun) == ()


def test_an_unchanged_page_in_between_makes_nothing_unusual_again() -> None:
    empty = replace(Profile(), first_key="page")
    held, unchanged = _found([6])[0], Earlier(at=NOW, is_ok=True, profile=Profile().as_json())
    odd = Earlier(at=NOW, is_ok=False, profile=empty.as_json() | {"found": ["nothing"]})
    for times, outcome in (USUAL_AFTER - 1, RunOutcome.OK), (USUAL_AFTER - 2, RunOutcome.DRIFT):
        past = [unchanged, unchanged, *[odd] * times, held]
        assert weigh(OK, empty, promise=Promise(), past=past, now=NOW)[0].outcome is outcome
