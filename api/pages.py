"""The web page: server-rendered, repeated in fragments every 2 seconds, usable without scripts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from api.alert_queries import alerts, deliveries
from api.case_shown import case_of
from api.dashboard import (
    alert_card,
    alert_steps,
    brand_days,
    broken_counts,
    journeys_to,
    open_alerts,
    sources_now,
    strips,
    whole_alert_mentions,
)
from api.evidence import headed, pieces
from api.journey import journeys
from api.mention_shown import show_mention_row
from api.page_call import AFormCall, APageCall, PageCall
from api.problems import Problem, not_found
from api.queries import mention_page
from api.raw_answers import download, kept_answers
from api.render import render, render_text
from api.routes.alerts import move_alert
from api.routes.mentions import read_whole
from api.routes.sources import ask_for_run, find_source
from api.schemas.mentions import MentionQuery
from api.shown import Text, show_id
from api.speed import steps, whole
from core.ids import Prefix, database_key
from core.models import Alert, AlertDecision, AlertRule, Brand, Delivery, Mention, Source
from core.types import Sentiment, Severity
from pipeline.answer import acknowledge, resolve

router = APIRouter(include_in_schema=False)

_SHOWN_MENTIONS = 20


@router.get("/")
def show_dashboard(request: Request, call: APageCall) -> Response:
    """Everything at a glance."""
    panels = {name: make(call) for name, make in _PANELS.items() if call.may(_ACTION_OF[name])}
    return render(
        request,
        "dashboard.html",
        call=call,
        panels=panels,
        filters=_filter_choices(call) if "mentions" in panels else None,
    )


@router.get("/page/brands")
def show_brands_panel(call: APageCall, seen: str = "") -> Response:
    """The brands, if they changed since ``seen``."""
    return _fragment(_brands_panel(call), seen)


@router.get("/page/alerts")
def show_alerts_panel(call: APageCall, seen: str = "") -> Response:
    """The open alerts, if they changed since ``seen``."""
    return _fragment(_alerts_panel(call), seen)


@router.get("/page/sources")
def show_sources_panel(call: APageCall, seen: str = "") -> Response:
    """The sources, if they changed since ``seen``."""
    return _fragment(_sources_panel(call), seen)


@router.get("/page/mentions")
def show_mentions_panel(
    call: APageCall,
    seen: str = "",
    brand: Annotated[Text, Query(max_length=80)] = "",
    source: Annotated[Text, Query(max_length=80)] = "",
    sentiment: Annotated[str, Query(max_length=20)] = "",
    severity: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The latest mentions under the filters of the form, if they changed since ``seen``."""
    wanted = MentionQuery.model_validate(
        {
            "brand": [brand] if brand else [],
            "source": [source] if source else [],
            "sentiment": [sentiment] if sentiment in list(Sentiment) else [],
            "severity": severity if severity in [one.label for one in Severity] else None,
            "q": q.replace("\x00", "").strip() or None,
        }
    )
    return _fragment(_mentions_panel(call, wanted), seen)


@router.get("/alerts/{alert_id}")
def show_alert(request: Request, call: APageCall, alert_id: str) -> Response:
    """One alert whole: where a notification leads."""
    key = database_key(Prefix.ALERT, alert_id)
    row = call.session.execute(alerts().where(Alert.id == key)).one_or_none()
    if row is None:
        raise not_found("This alert")
    mentions = whole_alert_mentions(call.session, key)
    worst = mentions[0][0] if mentions else None
    (way,) = journeys_to(call.session, [(row.Alert, worst)])
    decided = call.session.execute(
        select(AlertDecision.reason, AlertDecision.decided_at, AlertRule.slug)
        .join(AlertRule, AlertRule.id == AlertDecision.rule_id)
        .where(AlertDecision.alert_id == key)
        .order_by(AlertDecision.decided_at)
        .limit(50)
    ).all()
    return render(
        request,
        "alert.html",
        call=call,
        alert=row.Alert,
        card=alert_card(row, worst, {}, way=way),
        rule=row.rule,
        steps=alert_steps(row.Alert, worst, way),
        mentions=[(show_mention_row(one), told) for one, told in mentions],
        decisions=decided,
        deliveries=call.session.execute(
            deliveries().where(Delivery.alert_id == key).order_by(Delivery.id).limit(50)
        ).all(),
    )


@router.get("/mentions/{mention_id}")
def show_mention(request: Request, call: APageCall, mention_id: str) -> Response:
    """One mention whole: what was said, why it was graded so, and what it said before."""
    key = database_key(Prefix.MENTION, mention_id)
    mention = read_whole(call.session, key)
    reasons = [reason.model_dump(mode="json") for reason in mention.reasons]
    version = next((one for one in mention.versions if one.version == mention.version), mention)
    head, body = headed(version.title, pieces(mention.evidence, reasons))
    is_exact = mention.published_quality == "exact"
    told = call.session.get_one(Mention, key)
    (way,) = journeys(call.session, [(told, mention.alerted_at)])
    found = steps(
        [
            ("published", mention.published_at if is_exact else None),
            ("seen", way.seen_at if way else mention.seen_at),
            ("judged", way.judged_at if way else mention.judged_at),
            ("alerted", mention.alerted_at),
            ("delivered", mention.delivered_at),
        ]
    )
    return render(
        request,
        "mention.html",
        call=call,
        mention=mention,
        head=head,
        body=body,
        steps=found,
        seconds=whole(found),
        case=case_of(mention.extra),
        answers=kept_answers(call.session, key),
    )


@router.get("/mentions/{mention_id}/evidence/{version}")
def save_evidence(
    call: APageCall, mention_id: str, version: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> Response:
    """The link of a mention to what its site answered."""
    return download(call.session, database_key(Prefix.MENTION, mention_id), version)


@router.post("/page/alerts/{alert_id}/acknowledge")
def acknowledge_on_page(
    request: Request, call: AFormCall, alert_id: str, back: Annotated[str, Form()] = ""
) -> Response:
    """The button of an alert."""
    return _move_on_page(
        request,
        call,
        alert_id,
        back,
        lambda alert: acknowledge(call.session, alert, by=call.caller.name, now=call.now),
    )


@router.post("/page/alerts/{alert_id}/resolve")
def resolve_on_page(
    request: Request,
    call: AFormCall,
    alert_id: str,
    root_cause: Annotated[str, Form(max_length=2000)] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """The form of an alert that closes it with its root cause."""
    cause = root_cause.replace("\x00", "").strip() or None
    return _move_on_page(
        request,
        call,
        alert_id,
        back,
        lambda alert: resolve(
            call.session, alert, by=call.caller.name, root_cause=cause, now=call.now
        ),
    )


@router.post("/page/sources/{source_id}/run")
def run_on_page(request: Request, call: AFormCall, source_id: str) -> Response:
    """The button of a source."""
    asked = ask_for_run(call.session, find_source(call.session, source_id))
    if "hx-request" not in request.headers:
        return RedirectResponse("/#sources", status_code=303)
    return _fragment(_sources_panel(call, note=asked.detail), "")


def _move_on_page(
    request: Request, call: PageCall, alert_id: str, back: str, step: Callable[[Alert], object]
) -> Response:
    move_alert(call.session, database_key(Prefix.ALERT, alert_id), step)
    if "hx-request" not in request.headers:
        target = f"/alerts/{alert_id}" if back == "alert" else "/#alerts"
        return RedirectResponse(target, status_code=303)
    return _fragment(_alerts_panel(call), "")


def _fragment(html: str, seen: str) -> Response:
    # 204 leaves the page alone: nothing flickers, and no half-typed word is lost.
    if seen and f"seen={seen}" in html[:400]:
        return Response(status_code=204)
    return Response(html, media_type="text/html; charset=utf-8")


def _panel(name: str, query: str = "", **context: object) -> str:
    inside = render_text(f"panel_{name}.html", **context)
    version = hashlib.sha256(inside.encode("utf-8", "replace")).hexdigest()[:16]
    return render_text("panel.html", name=name, query=query, version=version, inside=inside)


def _brands_panel(call: PageCall) -> str:
    return _panel("brands", brands=brand_days(call.session, now=call.now))


def _alerts_panel(call: PageCall) -> str:
    cards, count = open_alerts(call.session)
    return _panel("alerts", cards=cards, count=count, csrf=call.csrf, call=call)


def _sources_panel(call: PageCall, note: str = "") -> str:
    letters, dead = broken_counts(call.session, now=call.now)
    return _panel(
        "sources",
        sources=[(show_id(Prefix.SOURCE, one.id), one) for one in sources_now(call.session)],
        strips=strips(call.session, now=call.now),
        letters=letters,
        dead=dead,
        note=note,
        csrf=call.csrf,
        call=call,
    )


def _mentions_panel(call: PageCall, wanted: MentionQuery = MentionQuery()) -> str:
    empty = "No mention fits."
    try:
        rows = mention_page(call.session, wanted, after=None, limit=_SHOWN_MENTIONS)
    except Problem as problem:
        if problem.status != 422:
            raise
        rows, empty = [], problem.detail
    return _panel("mentions", mentions=[show_mention_row(row) for row in rows], empty=empty)


def _filter_choices(call: PageCall) -> dict[str, list[str]]:
    brands = call.session.scalars(select(Brand.slug).order_by(Brand.slug).limit(200))
    sources = call.session.scalars(select(Source.slug).order_by(Source.slug).limit(200))
    return {
        "brand": list(brands),
        "source": list(sources),
        "sentiment": [word.value for word in Sentiment],
        "severity": [level.label for level in sorted(Severity, reverse=True)][:4],
    }


_PANELS: dict[str, Callable[[PageCall], str]] = {
    "alerts": _alerts_panel,
    "brands": _brands_panel,
    "mentions": _mentions_panel,
    "sources": _sources_panel,
}
_ACTION_OF = {name: f"show_{name}_panel" for name in _PANELS}
