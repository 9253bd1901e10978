"""A page that held posts and is empty now is never simply a quiet day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.types import RunOutcome
from crawlers.contract import Promise
from crawlers.engine.profile import Profile
from crawlers.engine.suspicion import Earlier, weigh
from crawlers.engine.verdict import Verdict

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
