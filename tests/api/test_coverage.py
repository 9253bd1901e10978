"""What has been seen: the routes, the counts and the strip on the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import CrawlRun, OperationsAlert, Source, SourceHour
from core.types import Role
from pipeline.heard import Watched, hours_of, summed
from tests.api.conftest import Ask, Customer, Visitor
from tests.api.rows import add_mention, add_post
from tests.factories import NOW, add_source

HOUR = timedelta(hours=1)


def _hours(session: Session, source: Source, states: str, *, reason: str = "blocked: 403") -> None:
    """Hours before now, the newest last: ``r``, ``p`` or ``u``; ``-`` for no row."""
    words = {"r": "read", "p": "partly", "u": "unread"}
    for place, state in enumerate(reversed(states), start=1):
        if state != "-":
            session.add(
                SourceHour(
                    source_id=source.id, hour=NOW - place * HOUR, state=words[state],
                    reason=None if state == "r" else reason,
                )
            )  # fmt: skip
    source.last_run_at = NOW
    session.commit()


@pytest.fixture
def key(ours: Customer) -> str:
    return ours.keys[Role.ANALYST]


def test_every_hour_of_a_source_is_told_with_its_reason(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    _hours(session, source, "rruuprrr")
    since = (NOW - 8 * HOUR).isoformat().replace("+00:00", "Z")
    told = ask("GET", f"/v1/coverage?since={since}&source={source.slug}", key=key).json()
    assert (told["share_read"], told["hours"]) == (
        0.625,
        {"read": 5, "partly": 1, "unread": 2, "unknown": 0},
    )
    (one,) = told["sources"]
    assert [period["state"][0] for period in one["periods"]] == list("rruuprrr")
    assert one["periods"][2]["reason"] == "blocked: 403"
    assert [(gap["state"], gap["since"][11:16]) for gap in told["gaps"]] == [
        ("partly", "08:00"),
        ("unread", "06:00"),
    ]
    assert told["gaps"][1]["until"][11:16] == "08:00"


def test_hours_that_nobody_wrote_about_are_unread_and_never_quiet(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    told = ask("GET", "/v1/coverage", key=key).json()
    assert (told["share_read"], told["hours"]["unread"]) == (0.0, 7 * 24)
    assert told["gaps"][0]["reason"] == "not crawled yet"
    _hours(session, source, "rr--")
    told = ask("GET", "/v1/coverage", key=key).json()
    assert told["gaps"][0]["reason"] == "no run came"
    source.is_enabled = False
    session.commit()
    told = ask("GET", "/v1/coverage", key=key).json()
    assert told["gaps"][0]["reason"] == "switched off"


def test_days_sum_their_hours_up(ask: Ask, session: Session, source: Source, key: str) -> None:
    _hours(session, source, "u" + "r" * 35)
    told = ask("GET", "/v1/coverage?resolution=day&since=2026-03-01", key=key).json()
    (one,) = told["sources"]
    assert [(day["begins_at"][:10], day["state"]) for day in one["periods"]] == [
        ("2026-03-01", "partly"),
        ("2026-03-02", "read"),
    ]
    assert one["periods"][0]["reason"] == "blocked: 403"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=2026-03-02&until=2026-03-01", 422),
        ("since=2025-01-01", 422),
        ("since=2025-04-01&resolution=day", 200),
        ("brand=nobody", 422),
        ("brand=ours-brand", 200),
        ("source=nowhere", 422),
        ("colour=red", 422),
    ],
)
def test_what_cannot_be_meant_is_refused(ask: Ask, key: str, query: str, status: int) -> None:
    assert ask("GET", f"/v1/coverage?{query}", key=key).status_code == status


def test_a_count_says_what_it_stands_on(
    ask: Ask, session: Session, ours: Customer, source: Source, key: str
) -> None:
    add_mention(session, ours.brand, add_post(session, source), severity=4)
    _hours(session, source, "r" * 18 + "u" * 6)
    since = (NOW - 24 * HOUR).isoformat().replace("+00:00", "Z")
    until = (NOW + HOUR).isoformat().replace("+00:00", "Z")
    told = ask("GET", f"/v1/mentions/counts?from={since}&to={until}", key=key).json()
    assert told["total"] == sum(told["by_severity"].values()) == 2
    assert told["by_severity"]["critical"] >= 1
    assert list(told["by_severity"]) == ["critical", "high", "medium", "low", "none"]
    assert told["coverage"]["share_read"] == 0.75
    assert told["coverage"]["gaps"][0]["reason"] == "blocked: 403"
    none = ask("GET", "/v1/mentions/counts?sentiment=positive&q=zebra", key=key).json()
    assert none["total"] == 0


def test_counts_are_of_the_own_workspace(
    ask: Ask, ours: Customer, theirs: Customer, key: str
) -> None:
    until = (NOW + HOUR).isoformat().replace("+00:00", "Z")
    assert ask("GET", f"/v1/mentions/counts?to={until}", key=key).json()["total"] == 1


@pytest.mark.parametrize("query", ["limit=5", "cursor=nonsense", "limit=-1", "colour=red"])
def test_counts_refuse_what_they_would_not_heed(ask: Ask, key: str, query: str) -> None:
    answer = ask("GET", f"/v1/mentions/counts?{query}", key=key)
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["detail"]
    told = ask("GET", "/openapi.json").json()["paths"]["/v1/mentions/counts"]["get"]
    named = {one["name"] for one in told["parameters"]}
    assert {"brand", "from", "q"} <= named
    assert not named & {"limit", "cursor"}
    assert "`limit` and `cursor` are refused" in told["description"]


def test_sources_that_are_not_heard_are_listed(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    over = OperationsAlert(
        source_id=source.id, outcome="drift", reason="another shape", opened_at=NOW - HOUR,
        seen_at=NOW - HOUR, resolved_at=NOW,
    )  # fmt: skip
    session.add(over)
    session.flush()
    session.add(
        OperationsAlert(
            source_id=source.id, outcome="auth", reason="401", opened_at=NOW, seen_at=NOW
        )
    )
    session.commit()
    told = ask("GET", "/v1/operations-alerts", key=key).json()["items"]
    assert [(one["outcome"], one["resolved_at"] is None) for one in told] == [
        ("auth", True),
        ("drift", False),
    ]
    assert told[0]["id"].startswith("opa_")
    assert told[0]["source_id"] == show_id(Prefix.SOURCE, source.id)
    still = ask("GET", "/v1/operations-alerts?is_open=true", key=key).json()["items"]
    assert [one["outcome"] for one in still] == ["auth"]


def test_the_page_shows_a_strip_of_hours(
    visitor: Visitor, session: Session, ours: Customer, source: Source
) -> None:
    _hours(session, source, "r" * 21 + "uu" + "r")
    visitor.log_in(ours.keys[Role.ADMIN])
    page = visitor.get("/").text
    assert page.count('class="unread"') == 2
    assert "21 of the last 23 hours read" in page
    assert "not read 09:00 to 11:00 UTC: blocked: 403" in page
    assert "seen: 92 % of the hours" in page


def test_the_current_hour_is_shown_and_not_counted() -> None:
    one = Watched(id=1, slug="x", is_enabled=True, has_run=True, next_due_at=NOW + HOUR)
    now = NOW + timedelta(minutes=30)
    hours = hours_of(one, {NOW - HOUR: ("read", None)}, since=NOW - HOUR, until=now, now=now)
    assert [(hour.state, hour.reason) for hour in hours] == [
        ("read", None),
        ("unread", "waits for the next run"),
    ]
    assert summed([(one, hours)], now=now).share_read == 1.0


def test_a_source_switched_off_before_the_period_does_not_count_against_it(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    _hours(session, source, "r" * 7 * 24)
    add_source(session, is_enabled=False)
    session.commit()
    assert ask("GET", "/v1/coverage", key=key).json()["share_read"] == 1.0


def test_a_source_whose_runs_only_failed_says_how(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    source.created_at, source.last_run_at = NOW - 5 * HOUR, NOW - HOUR
    source.last_outcome, source.last_reason = "error", "HTTP 404: not found"
    source.next_due_at = NOW + HOUR
    told = SourceHour(source_id=source.id, hour=NOW - 3 * HOUR, state="unread", reason="error: 404")
    session.add(told)
    session.commit()
    since = (NOW - 5 * HOUR).isoformat().replace("+00:00", "Z")
    path = f"/v1/coverage?since={since}&source={source.slug}"
    (one,) = ask("GET", path, key=key).json()["sources"]
    ended = "ended as error: HTTP 404: not found"
    assert [period["reason"] for period in one["periods"][:4]] == [
        f"not read yet: the last run {ended}",
        f"not read yet: the last run {ended}",
        "error: 404",
        f"waits for the next run; the last one {ended}",
    ]
    session.add(CrawlRun(source_id=source.id, outcome="ok", started_at=NOW - 4 * HOUR))
    session.commit()
    (one,) = ask("GET", path, key=key).json()["sources"]
    assert one["periods"][0]["reason"] == "not crawled yet"


def test_hours_of_long_ago_are_no_longer_known_and_count_for_nothing(
    ask: Ask, session: Session, source: Source, key: str
) -> None:
    source.created_at = source.last_run_at = NOW - timedelta(days=402)
    kept = (NOW - timedelta(days=400)).replace(minute=0, second=0, microsecond=0)
    for hour in (kept, kept - 3 * HOUR):  # the second was not forgotten yet
        session.add(SourceHour(source_id=source.id, hour=hour, state="read"))
    session.commit()
    since, until = kept - 72 * HOUR, kept + HOUR
    period = f"since={since:%Y-%m-%dT%H:%M:%SZ}&until={until:%Y-%m-%dT%H:%M:%SZ}"
    told = ask("GET", f"/v1/coverage?{period}&source={source.slug}", key=key).json()
    born = source.created_at.replace(minute=0, second=0, microsecond=0)
    before = round((born - since) / HOUR)
    assert told["hours"] == {"read": 2, "partly": 0, "unread": before, "unknown": 71 - before}
    assert told["share_read"] == round(2 / (2 + before), 4)
    states = [one["state"] for one in told["sources"][0]["periods"]]
    assert states[:before] == ["unread"] * before
    gaps = {gap["state"]: gap["reason"] for gap in told["gaps"]}
    assert gaps == {"unknown": "no longer known", "unread": "not crawled yet"}
    days = ask("GET", f"/v1/coverage?{period}&resolution=day", key=key).json()["sources"][0]
    assert [(day["state"], day["share_read"]) for day in days["periods"]] == [
        ("unread", 0.0),
        ("unread", 0.0),
        ("unknown", None),
        ("partly", 1.0),
    ]
    counts = ask(
        "GET", f"/v1/mentions/counts?from={since:%Y-%m-%dT%H:%M:%SZ}&to={until:%Y-%m-%dT%H:%M:%SZ}",
        key=key,
    ).json()  # fmt: skip
    assert counts["coverage"]["hours"] == told["hours"]
