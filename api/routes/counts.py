"""/v1/mentions/counts: figures, each with what it stands on."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.call import ACall
from api.coverage import coverage_of, known_since
from api.problems import Problem, documented
from api.queries import counted, source_keys
from api.schemas.counts import CountQuery, CountsShown
from core.types import Sentiment, Severity

router = APIRouter(prefix="/v1/mentions", tags=["mentions"], responses=documented())

_USUAL, _MOST = timedelta(days=7), timedelta(days=366)


@router.get("/counts")
def count_mentions(
    request: Request, call: ACall, wanted: Annotated[CountQuery, Query()]
) -> CountsShown:
    """Mentions by severity and sentiment, and which part of the period has been seen.

    A source that was not heard counts as not seen, and never as quiet. It takes the filters of the
    list of mentions; `limit` and `cursor` are refused (422), for it has no pages.
    """
    to = wanted.to or call.now
    since = wanted.from_ or to - _USUAL
    if not timedelta() < to - since <= _MOST:
        raise Problem(422, "invalid", "from: before to, and at most 366 days, is wanted")
    asked = wanted.model_copy(update={"from_": since, "to": to})
    rows = counted(call.session, asked)
    ids = source_keys(call.session, wanted.source) if wanted.source else None
    return CountsShown(
        total=sum(count for _, _, count in rows),
        by_severity={
            level.label: sum(count for severity, _, count in rows if severity == level)
            for level in sorted(Severity, reverse=True)
        },
        by_sentiment={
            word.value: sum(count for _, sentiment, count in rows if sentiment == word)
            for word in Sentiment
        },
        coverage=coverage_of(
            call.session,
            since=since,
            until=to,
            now=call.now,
            source_ids=ids,
            floor=known_since(request, now=call.now),
        ),
    )
