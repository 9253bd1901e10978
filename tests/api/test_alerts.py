from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from api.schemas.alerts import AlertPage, AlertWhole
from api.shown import show_id
from core.ids import Prefix
from core.models import Source
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer
from tests.api.rows import add_alert, add_mention, add_post
from tests.factories import NOW, add_brand


def path_of(ours: Customer, step: str = "") -> str:
    return f"/v1/alerts/{show_id(Prefix.ALERT, ours.alert.id)}{step}"


def test_a_list_shows_each_alert_with_its_worst_mention(
    ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    mild = add_mention(session, ours.brand, add_post(session, source), severity=2)
    dire = add_mention(session, ours.brand, add_post(session, source, text="Fire!"), severity=4)
    add_alert(session, ours.rule, mild, dire, triggered_at=NOW + timedelta(hours=1))
    session.commit()
    answer = ask("GET", "/v1/alerts", key=ours.keys[Role.OWNER])
    page = AlertPage.model_validate_json(answer.content)
    assert [one.mention_count for one in page.items] == [2, 1]
    assert page.items[0].worst_mention is not None
    assert page.items[0].worst_mention.text == "Fire!"
    assert page.items[0].rule == ours.rule.slug


def test_filters_and_pages_of_alerts(
    ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    rival = add_brand(session, ours.workspace, slug="rival")
    for number in range(5):
        mention = add_mention(session, rival, add_post(session, source), severity=2)
        # All at one moment: the id decides, and no row is lost between two pages.
        add_alert(session, ours.rule, mention, state="resolved", triggered_at=NOW)
        assert number < 5
    session.commit()
    key = ours.keys[Role.ANALYST]
    counts = {
        "state=resolved": 5,
        "state=triggered": 1,
        "state=triggered&state=resolved": 6,
        "brand=rival": 5,
        "severity=high": 1,
        "from=2026-03-02T12:00:01Z": 1,
        "to=2026-03-02T12:00:01Z": 5,
    }
    for query, count in counts.items():
        assert len(ask("GET", f"/v1/alerts?{query}", key=key).json()["items"]) == count, query
    seen, path = [], "/v1/alerts?limit=2"
    while path:
        page = ask("GET", path, key=key).json()
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
    assert len(seen) == len(set(seen)) == 6


def test_one_alert_shows_mentions_decisions_and_deliveries(ask: Ask, ours: Customer) -> None:
    answer = ask("GET", path_of(ours), key=ours.keys[Role.ANALYST])
    whole = AlertWhole.model_validate_json(answer.content)
    assert [one.id for one in whole.mentions] == [show_id(Prefix.MENTION, ours.mention.id)]
    assert [one.reason for one in whole.decisions] == ["severe_at_once"]
    assert [one.state for one in whole.deliveries] == ["delivered"]


def test_an_alert_walks_to_its_end_and_repeats_change_nothing(
    ask: Ask, ours: Customer, clock: Clock
) -> None:
    key = ours.keys[Role.OWNER]
    first = ask("POST", path_of(ours, "/acknowledge"), key=key)
    assert first.status_code == 200
    assert first.json()["acknowledged_by"] == "ours owner"
    clock.pass_time(minutes=5)
    again = ask("POST", path_of(ours, "/acknowledge"), key=ours.keys[Role.ADMIN])
    assert again.json() == first.json()
    assigned = ask("POST", path_of(ours, "/assign"), key=key, json={"to": "Jonas"}).json()
    assert assigned["assigned_to"] == "Jonas"
    nobody = ask("POST", path_of(ours, "/assign"), key=key, json={"to": None}).json()
    assert nobody["assigned_to"] is None
    answered = ask("POST", path_of(ours, "/answer"), key=key).json()
    assert answered["answered_at"] == "2026-03-02T12:05:00Z"
    cause = {"root_cause": "A van was stolen."}
    resolved = ask("POST", path_of(ours, "/resolve"), key=key, json=cause).json()
    assert (resolved["state"], resolved["root_cause"]) == ("resolved", "A van was stolen.")
    clock.pass_time(minutes=5)
    assert ask("POST", path_of(ours, "/resolve"), key=key, json={}).json() == resolved
    refused = ask("POST", path_of(ours, "/acknowledge"), key=key)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:goodname:problem:cannot-move",
    )


def test_a_name_of_blanks_is_not_a_name(ask: Ask, ours: Customer) -> None:
    for body in ({"to": "  "}, {"to": ""}, {}, {"to": "a", "cc": "b"}):
        answer = ask("POST", path_of(ours, "/assign"), key=ours.keys[Role.OWNER], json=body)
        assert answer.status_code == 422
