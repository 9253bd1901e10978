"""/v1/mentions: what is said about the brands of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.call import ACall
from api.cursors import Place, next_link, read_cursor, write_cursor
from api.evidence import judged_version
from api.mention_shown import show_mention_row
from api.problems import documented, not_found
from api.queries import listed, mention_page
from api.schemas.mentions import Correction, MentionPage, MentionQuery, MentionWhole
from api.shown import show_id, show_known_id, show_severity
from core.ids import Prefix, database_key
from core.models import AlertMention, Mention, MentionJudgement, PostRow, PostVersion
from core.types import Severity
from pipeline.judged_text import judged_text

router = APIRouter(prefix="/v1/mentions", tags=["mentions"], responses=documented())


@router.get("", response_model=MentionPage)
def list_mentions(
    request: Request, call: ACall, wanted: Annotated[MentionQuery, Query()]
) -> Response:
    """Mentions, newest first, one page at a time; follow `next` to walk on.

    New mentions that arrive meanwhile never shift the pages: nothing is shown twice or left out.
    """
    filters = wanted.model_dump(exclude={"cursor", "limit"})
    after = read_cursor(wanted.cursor, filters=filters) if wanted.cursor else None
    rows = mention_page(call.session, wanted, after=after, limit=wanted.limit + 1)
    shown, last = rows[: wanted.limit], rows[wanted.limit - 1 : wanted.limit]
    cursor = None
    if len(rows) > wanted.limit:
        cursor = write_cursor(Place(last[0].sort_at, last[0].id), filters=filters)
    path, headers = next_link(request.url, cursor)
    body = orjson.dumps(
        {"items": [show_mention_row(row) for row in shown], "next": path},
        option=orjson.OPT_UTC_Z,
    )
    return Response(body, media_type="application/json", headers=headers)


@router.get("/{mention_id}")
def read_mention(mention_id: str, call: ACall) -> MentionWhole:
    """One mention whole: its text, earlier versions, reasons and every stamp."""
    return read_whole(call.session, database_key(Prefix.MENTION, mention_id))


@router.patch("/{mention_id}")
def correct_mention(mention_id: str, wanted: Correction, call: ACall) -> MentionWhole:
    """Say what is right where the judge was wrong; the judge's own word is kept beside it."""
    key = database_key(Prefix.MENTION, mention_id)
    mention = call.session.get(Mention, key, with_for_update=True)
    if mention is None:
        raise not_found("This mention")
    _correct(mention, wanted, now=call.now)
    call.session.flush()
    return read_whole(call.session, key)


def _correct(mention: Mention, wanted: Correction, *, now: datetime) -> None:
    if wanted.sentiment or wanted.severity:
        if mention.corrected_version != mention.post_version:
            # What a person said of another text is not said of this one.
            mention.corrected_sentiment = mention.corrected_severity = None
        mention.corrected_version = mention.post_version
    if "sentiment" in wanted.model_fields_set:
        mention.corrected_sentiment = wanted.sentiment and wanted.sentiment.value
    if "severity" in wanted.model_fields_set:
        level = Severity.of(wanted.severity).value if wanted.severity else None
        mention.corrected_severity = level
    is_corrected = (mention.corrected_sentiment, mention.corrected_severity) != (None, None)
    mention.corrected_at = now if is_corrected else None
    if not is_corrected:
        mention.corrected_version = None


def read_whole(session: Session, key: int) -> MentionWhole:
    """All that is known of one mention; 404 outside of the workspace."""
    row = session.execute(listed().where(Mention.id == key)).one_or_none()
    if row is None:
        raise not_found("This mention")
    mention = session.get_one(Mention, key)
    post = session.get_one(PostRow, mention.post_id)
    versions = session.scalars(
        select(PostVersion).where(PostVersion.post_id == post.id).order_by(PostVersion.version)
    ).all()
    judged = judged_version(mention, post, versions)
    alerts = session.scalars(
        select(AlertMention.alert_id).where(AlertMention.mention_id == key).order_by("alert_id")
    )
    return MentionWhole(
        **show_mention_row(row) | {"text": post.text, "is_text_cut": False},
        story_id=show_known_id(Prefix.STORY, mention.story_id),
        judged=_judged(mention),
        judged_before=_judged_before(session, key),
        correction=_correction(mention),
        evidence=judged_text(judged.title, judged.text),
        reasons=mention.reasons,
        versions=[
            {name: getattr(one, name) for name in ("version", "title", "text", "rating", "seen_at")}
            for one in versions
        ],
        engagement=post.engagement,
        extra=post.extra,
        alert_ids=[show_id(Prefix.ALERT, alert) for alert in alerts],
    )


def _judged(mention: Mention) -> dict[str, Any]:
    return {
        "sentiment": mention.sentiment,
        "sentiment_p": mention.sentiment_p,
        "severity": show_severity(mention.severity),
        "severity_p": mention.severity_p,
        "judge": mention.judge,
        "version": mention.post_version,
        "judged_at": mention.rejudged_at or mention.judged_at,
        "is_rejudged": mention.rejudged_at is not None,
        **_agrees(mention, mention),
    }


def _judged_before(session: Session, key: int) -> list[dict[str, Any]]:
    mention = session.get_one(Mention, key)
    kept = session.scalars(
        select(MentionJudgement)
        .where(MentionJudgement.mention_id == key)
        .order_by(MentionJudgement.judged_at.desc(), MentionJudgement.judge)
    )
    return [
        {
            "sentiment": one.sentiment,
            "sentiment_p": one.sentiment_p,
            "severity": show_severity(one.severity),
            "severity_p": one.severity_p,
            "judge": one.judge,
            "version": one.post_version,
            "judged_at": one.judged_at,
            "is_rejudged": not one.is_live,
            **_agrees(mention, one),
        }
        for one in kept
        if (one.judge, one.post_version) != (mention.judge, mention.post_version)
    ]


def _agrees(mention: Mention, said: Mention | MentionJudgement) -> dict[str, bool | None]:
    """Whether a judge says what the person said of the same version; None where nobody did."""
    is_same = said.post_version == mention.corrected_version
    found: dict[str, bool | None] = {}
    for label in ("sentiment", "severity"):
        right = getattr(mention, f"corrected_{label}")
        is_known = is_same and right is not None
        found[f"agrees_on_{label}"] = getattr(said, label) == right if is_known else None
    return found


def _correction(mention: Mention) -> dict[str, Any] | None:
    if mention.corrected_at is None:
        return None
    level = mention.corrected_severity
    return {
        "sentiment": mention.corrected_sentiment,
        "severity": None if level is None else show_severity(level),
        "corrected_at": mention.corrected_at,
        "version": mention.corrected_version,
    }
