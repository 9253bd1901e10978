from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from lxml import html
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.sessions import COOKIE
from api.shown import show_id
from core.ids import Prefix
from core.models import MentionJudgement, PostVersion, Source
from core.types import Role
from tests.api.conftest import Ask, Clock, Customer, Visitor
from tests.api.rows import add_alert, add_mention, add_post
from tests.factories import NOW, add_brand

_JUDGED = (
    "workspace_id", "language", "sentiment", "sentiment_p", "severity", "severity_p", "categories",
    "reasons", "judge",
)  # fmt: skip


def test_nobody_sees_a_page_without_a_login(visitor: Visitor, ask: Ask, ours: Customer) -> None:
    alert = show_id(Prefix.ALERT, ours.alert.id)
    for path in ("/", "/page/alerts", "/page/mentions", "/page/sources", f"/alerts/{alert}"):
        answer = visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
        assert "canary" not in answer.text
    fragment = ask("GET", "/page/alerts", headers={"HX-Request": "true"})
    assert fragment.status_code == 401
    assert fragment.headers["hx-redirect"].startswith("/login")


def test_a_login_is_a_strict_cookie_that_scripts_cannot_read(
    visitor: Visitor, ours: Customer
) -> None:
    answer = visitor.log_in(f"  {ours.keys[Role.OWNER]} ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ours.keys[Role.OWNER].rpartition("_")[2] not in cookie
    page = visitor.get("/")
    assert "canary-ours" in page.text
    assert "ours owner" in page.text


def test_a_wrong_key_is_told_so_and_a_foreign_site_cannot_log_in(
    visitor: Visitor, ask: Ask, ours: Customer
) -> None:
    for wrong in ("", "gn_nope", ours.keys[Role.OWNER][:-1] + "x", "\x00", "ł" * 50):
        answer = visitor.log_in(wrong)
        assert answer.status_code == 401
        assert COOKIE not in answer.headers.get("set-cookie", "")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = ask("POST", "/login", data={"key": ours.keys[Role.OWNER]}, headers=headers)
        assert answer.status_code == 403


def test_login_leads_back_to_an_alert_and_nowhere_else(visitor: Visitor, ours: Customer) -> None:
    alert = f"/alerts/{show_id(Prefix.ALERT, ours.alert.id)}"
    assert visitor.get(alert).headers["location"] == f"/login?next={alert}"
    key = ours.keys[Role.OWNER]
    assert visitor.post("/login", key=key, next=alert).headers["location"] == alert
    for elsewhere in ("//evil.example", "https://evil.example/", "/\\evil.example", "/logout"):
        answer = visitor.post("/login", key=key, next=elsewhere)
        assert answer.headers["location"] == "/"


def test_a_login_ends_by_logging_out_by_time_by_revocation_and_by_forgery(
    visitor: Visitor, ask: Ask, ours: Customer, clock: Clock, session: Session
) -> None:
    visitor.log_in(ours.keys[Role.OWNER])
    assert visitor.post("/logout", csrf="guessed").status_code == 403
    assert visitor.get("/").status_code == 200
    assert visitor.post("/logout", csrf=visitor.csrf).headers["location"] == "/login"
    assert visitor.get("/").status_code == 303

    visitor.log_in(ours.keys[Role.OWNER])
    clock.pass_time(hours=12, seconds=1)
    assert visitor.get("/").status_code == 303

    visitor.log_in(ours.keys[Role.OWNER])
    assert visitor.get("/").status_code == 200
    ours.key_rows[Role.OWNER].revoked_at = NOW
    session.commit()
    assert visitor.get("/").status_code == 303

    prefix = ours.keys[Role.ADMIN].split("_")[1]
    for forged in (f"{prefix}.e30.AAAA", prefix, ".", f"{prefix}.", "a.b.c"):
        answer = ask("GET", "/", headers={"Cookie": f"{COOKIE}={forged}"})
        assert answer.status_code == 303


def test_a_link_from_web_mail_asks_again_from_our_own_page(visitor: Visitor) -> None:
    answer = visitor.get("/", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert visitor.get("/", **{"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_an_alert_is_acknowledged_and_resolved_from_the_page(
    visitor: Visitor, ours: Customer, session: Session, clock: Clock
) -> None:
    visitor.log_in(ours.keys[Role.OWNER])
    path = f"/page/alerts/{show_id(Prefix.ALERT, ours.alert.id)}"
    assert visitor.post(f"{path}/acknowledge", csrf="").status_code == 403
    assert visitor.post(f"{path}/acknowledge").status_code == 403
    session.refresh(ours.alert)
    assert ours.alert.state == "triggered"

    token = visitor.csrf
    assert visitor.post(f"{path}/acknowledge", csrf=token).headers["location"] == "/#alerts"
    session.refresh(ours.alert)
    assert (ours.alert.state, ours.alert.acknowledged_by) == ("acknowledged", "ours owner")
    assert ours.alert.acknowledged_at == clock.now

    visitor.post(f"{path}/resolve", csrf=token, root_cause="Courier\x00 lost a van", back="alert")
    session.refresh(ours.alert)
    assert (ours.alert.state, ours.alert.root_cause) == ("resolved", "Courier lost a van")
    assert "All quiet" in visitor.get("/").text


def test_a_token_of_another_login_is_refused(visitor: Visitor, ask: Ask, ours: Customer) -> None:
    visitor.log_in(ours.keys[Role.ADMIN])
    foreign = visitor.csrf
    visitor.log_in(ours.keys[Role.OWNER])
    path = f"/page/alerts/{show_id(Prefix.ALERT, ours.alert.id)}/acknowledge"
    assert visitor.post(path, csrf=foreign).status_code == 403


def test_an_unchanged_panel_costs_no_bytes(ask: Ask, visitor: Visitor, ours: Customer) -> None:
    visitor.log_in(ours.keys[Role.ADMIN])
    page = html.fromstring(visitor.get("/").text)
    panels = page.xpath("//*[@data-panel]/@hx-get")
    assert len(panels) == 4
    for path in panels:
        assert ask("GET", path).status_code == 204, path
        assert ask("GET", path.partition("?")[0]).status_code == 200
    alerts = next(path for path in panels if "alerts" in path)
    visitor.post(
        f"/page/alerts/{show_id(Prefix.ALERT, ours.alert.id)}/acknowledge", csrf=visitor.csrf
    )
    assert ask("GET", alerts).status_code == 200


def test_the_page_shows_each_role_what_it_may(visitor: Visitor, ours: Customer) -> None:
    expected = {
        Role.OWNER: ({"alerts", "brands", "mentions", "sources"}, True, False),
        Role.ANALYST: ({"alerts", "brands", "mentions", "sources"}, False, False),
        Role.OPS: ({"sources"}, False, True),
        Role.ADMIN: ({"alerts", "brands", "mentions", "sources"}, True, True),
    }
    for role, (panels, may_answer, may_run) in expected.items():
        visitor.log_in(ours.keys[role])
        page = html.fromstring(visitor.get("/").text)
        assert set(page.xpath("//*[@data-panel]/@data-panel")) == panels
        assert bool(page.xpath("//form[contains(@action, '/acknowledge')]")) == may_answer
        assert bool(page.xpath("//form[contains(@action, '/run')]")) == may_run


def test_worst_alerts_come_first_with_evidence_and_speed(
    visitor: Visitor, ours: Customer, session: Session, source: Source
) -> None:
    post = add_post(session, source, title="Charger", text="It caught fire at night.")
    start = len("Charger\n\nIt ")
    reason = {
        "because": 'safety: "caught fire"',
        "category": "safety",
        "spans": [{"start": start, "end": start + len("caught fire")}],
        "weight": 3.0,
    }
    mention = add_mention(session, ours.brand, post, severity=4, reasons=[reason])
    add_alert(session, ours.rule, mention, delivered_at=mention.judged_at + timedelta(seconds=2))
    session.commit()
    visitor.log_in(ours.keys[Role.OWNER])
    page = html.fromstring(visitor.get("/").text)
    levels = page.xpath("//article//span[contains(@class,'level')]/text()")
    assert levels == ["critical", "high"]
    assert page.xpath("//article//mark/text()") == ["caught fire"]
    first = page.xpath("//article")[0].text_content()
    assert "told in 23 s" in " ".join(first.split())
    assert page.xpath("//*[@data-count]/@data-count") == ["2"]


def test_how_fast_is_told_of_the_text_that_was_alerted(
    visitor: Visitor, ours: Customer, session: Session, source: Source
) -> None:
    """Not of its edit, which was seen after the alert."""
    post = add_post(session, source, text="All is well now.", version=2)
    first = post.seen_at
    mention = add_mention(session, ours.brand, post, severity=4)
    said = {name: getattr(mention, name) for name in _JUDGED}
    for version, after in ((1, 1), (2, 3601)):
        at = first + timedelta(seconds=after)
        session.add(
            MentionJudgement(
                mention_id=mention.id, post_version=version, is_live=True, judged_at=at, **said
            )
        )
    session.add(
        PostVersion(
            post_id=post.id, version=1, text="It caught fire.", content_hash=b"1", seen_at=first
        )
    )
    alert = add_alert(session, ours.rule, mention, delivered_at=first + timedelta(seconds=5))
    mention.seen_at = post.seen_at = first + timedelta(hours=1)
    mention.judged_at = first + timedelta(hours=1, seconds=1)
    session.commit()
    visitor.log_in(ours.keys[Role.OWNER])
    for path in (
        f"/mentions/{show_id(Prefix.MENTION, mention.id)}",
        f"/alerts/{show_id(Prefix.ALERT, alert.id)}",
    ):
        page = html.fromstring(visitor.get(path).text)
        steps = page.xpath("//ol[@class='steps']/li")
        names = [one.xpath("string(span[@class='step'])") for one in steps]
        after = [one.xpath("string(span[@class='after'])") for one in steps]
        assert names[:4] == ["published", "seen", "judged", "alerted"]
        assert after[:4] == ["", "+20 s", "+1.0 s", "+0 s"], path
    card = " ".join(
        html.fromstring(visitor.get("/").text).xpath("//article")[0].text_content().split()
    )
    assert "told in 25 s" in card


def test_an_alert_of_others_is_no_journey_of_a_later_post(
    visitor: Visitor, ours: Customer, session: Session, source: Source
) -> None:
    post = add_post(session, source, seen_at=NOW + timedelta(hours=1))
    mention = add_mention(session, ours.brand, post, severity=4)
    alert = add_alert(session, ours.rule, mention, triggered_at=NOW + timedelta(minutes=1))
    session.commit()
    visitor.log_in(ours.keys[Role.OWNER])
    page = html.fromstring(visitor.get(f"/alerts/{show_id(Prefix.ALERT, alert.id)}").text)
    assert page.xpath("//ol[@class='steps']/li/span[@class='step']/text()") == ["alerted"]


def test_brands_are_counted_by_severity_and_drawn(
    visitor: Visitor, ours: Customer, session: Session, source: Source
) -> None:
    quiet = add_brand(session, ours.workspace, slug="quiet", name="Quiet & Sons")
    for hours in (1, 2, 30):
        post = add_post(session, source, published_at=NOW - timedelta(hours=hours))
        add_mention(session, ours.brand, post, severity=1)
    session.commit()
    visitor.log_in(ours.keys[Role.ANALYST])
    page = html.fromstring(visitor.get("/page/brands").text)
    loud = page.xpath("//li[contains(@class,'brandday')]")[1].text_content()
    assert "Voltano" in loud
    assert " ".join(loud.split()).count("3 in 24 h") == 1
    assert len(page.xpath("//rect[@class='low']")) == 2
    assert len(page.xpath("//rect[@class='high']")) == 1
    assert quiet.name in page.text_content()


def test_run_now_queues_one_crawl_and_says_when_one_waits(
    visitor: Visitor, ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    visitor.log_in(ours.keys[Role.OPS])
    path, token = f"/page/sources/{show_id(Prefix.SOURCE, source.id)}/run", visitor.csrf
    assert visitor.post(path, csrf=token).status_code == 303
    again = ask("POST", path, data={"csrf": token}, headers={"HX-Request": "true"})
    assert "waits already" in again.text
    count = session.scalar(text("SELECT count(*) FROM queue.procrastinate_jobs"))
    assert count == 1


def test_a_person_gets_a_page_for_a_problem(visitor: Visitor, ours: Customer) -> None:
    visitor.log_in(ours.keys[Role.OWNER])
    answer = visitor.get("/alerts/alt_nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing is here" in answer.text
    assert visitor.get("/v1/nothing").headers["content-type"] == "application/problem+json"


def test_a_filter_of_the_page_that_cannot_be_understood_is_told(
    visitor: Visitor, ours: Customer
) -> None:
    visitor.log_in(ours.keys[Role.OWNER])
    for query in ("brand=%00", "source=%00"):
        answer = visitor.get(f"/page/mentions?{query}")
        assert answer.status_code == 422
        assert "That did not work" in answer.text
    wordless = visitor.get("/page/mentions?q=%F0%9F%99%82")
    assert wordless.status_code == 200
    assert "There is no word to search for" in wordless.text
    assert "canary-ours" in visitor.get("/page/mentions?q=%20").text
    assert "No mention fits." in visitor.get("/page/mentions?q=nowhere").text


def test_a_form_with_half_a_character_is_refused(
    visitor: Visitor, ask: Ask, ours: Customer
) -> None:
    visitor.log_in(ours.keys[Role.OWNER])
    path = f"/page/alerts/{show_id(Prefix.ALERT, ours.alert.id)}"
    assert post_utf7(ask, f"{path}/acknowledge", csrf="+2AA-").status_code == 403
    assert post_utf7(ask, "/logout", csrf="+2AA-").status_code == 403
    assert post_utf7(ask, "/login", key="+2AA-").status_code == 422
    answer = post_utf7(ask, f"{path}/resolve", csrf=visitor.csrf, root_cause="A van+2AA- broke")
    assert answer.status_code == 422


def post_utf7(ask: Ask, path: str, **form: str) -> httpx.Response:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    return ask("POST", path, content="".join([*parts, "--x--\r\n"]), headers=headers)


def hostile_texts(shared: Path) -> list[str]:
    folder = shared / "fixtures" / "hostile" / "xss"
    lines = [
        line
        for file in sorted(folder.glob("*.txt"))
        for line in file.read_text("utf-8", "replace").splitlines()
    ]
    lines += [
        json.loads(line)["payload"]
        for line in (folder / "dompurify_expect.jsonl").read_text("utf-8").splitlines()
    ]
    return [line.replace("\x00", "") for line in lines if line.strip("\x00 ")]


def test_hostile_texts_stay_text_on_every_page(
    visitor: Visitor, ours: Customer, session: Session, source: Source, shared: Path
) -> None:
    payloads = hostile_texts(shared)
    assert len(payloads) > 300
    visitor.log_in(ours.keys[Role.OWNER])
    clean = html.fromstring(visitor.get("/").text)
    allowed = {element.tag for element in clean.iter() if isinstance(element.tag, str)}
    allowed |= {"mark", "strong", "bdi"}
    paths = ["/", "/page/mentions", "/page/alerts"]
    for payload in payloads:
        reason = {"because": payload, "spans": [{"start": 0, "end": 3}], "weight": 1.0}
        post = add_post(
            session,
            source,
            title=payload[:300],
            text=payload,
            author=payload[:100],
            url=payload[:500],
        )
        mention = add_mention(session, ours.brand, post, severity=4, reasons=[reason], sort_at=NOW)
        alert = add_alert(session, ours.rule, mention)
        if len(paths) < 40:
            paths.append(f"/mentions/{show_id(Prefix.MENTION, mention.id)}")
            paths.append(f"/alerts/{show_id(Prefix.ALERT, alert.id)}")
    session.commit()
    for path in paths:
        page = html.fromstring(visitor.get(path).text)
        for element in page.iter():
            if not isinstance(element.tag, str):
                continue
            assert element.tag in allowed, (path, element.tag)
            for name, value in element.attrib.items():
                assert not name.startswith("on"), (path, name)
                assert name != "style"
                if name in ("href", "src", "action"):
                    assert value.startswith(("/", "#", "http://", "https://")) or value == ""
        for script in page.iter("script"):
            assert script.get("src", "").startswith("/static/")
        for link in page.xpath("//a[@target='_blank']"):
            assert link.get("rel") == "noopener noreferrer nofollow"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:x", " ftp://x.example", "//x", ""],
)
def test_only_web_addresses_become_links(
    visitor: Visitor, ours: Customer, session: Session, source: Source, url: str
) -> None:
    mention = add_mention(session, ours.brand, add_post(session, source, url=url))
    session.commit()
    visitor.log_in(ours.keys[Role.OWNER])
    page = visitor.get(f"/mentions/{show_id(Prefix.MENTION, mention.id)}")
    assert "no address" in page.text
    assert 'target="_blank"' not in page.text
