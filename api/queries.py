"""List queries of mentions: keyset pages, row-level security below, one way into full text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from api.cursors import Place
from api.problems import Problem
from api.schemas.mentions import MentionFilter, MentionQuery
from core.clean import clean
from core.fold import fold
from core.ids import BadIdError, Prefix, database_key
from core.models import Brand, Mention, PostRow, PostSearch, Source
from core.types import Severity

#: Characters of a text in a list; a whole one may have millions.
LISTED_TEXT = 4_000
#: Up to so many hits a search is led by the words, beyond that by the feed's own order.
FEW = 2_000

EFFECTIVE_SENTIMENT = func.coalesce(Mention.corrected_sentiment, Mention.sentiment)
EFFECTIVE_SEVERITY = func.coalesce(Mention.corrected_severity, Mention.severity)

_LISTED: tuple[Any, ...] = (
    Mention.id,
    Mention.brand_id,
    Brand.slug.label("brand"),
    Brand.name.label("brand_name"),
    PostRow.source_id,
    Source.slug.label("source"),
    Mention.post_id,
    PostRow.url,
    PostRow.title,
    func.left(PostRow.text, LISTED_TEXT + 1).label("text"),
    PostRow.author,
    PostRow.kind,
    PostRow.rating,
    PostRow.rating_scale,
    Mention.language,
    EFFECTIVE_SENTIMENT.label("sentiment"),
    EFFECTIVE_SEVERITY.label("severity"),
    Mention.categories,
    Mention.matched,
    Mention.post_version.label("version"),
    PostRow.published_at,
    PostRow.published_quality,
    PostRow.edited_at,
    PostRow.deleted_at,
    PostRow.gone_reason,
    PostRow.missing_since,
    Mention.seen_at,
    Mention.judged_at,
    Mention.alerted_at,
    Mention.delivered_at,
    # Not shown as they are:
    Mention.corrected_at,
    PostRow.version.label("current_version"),
    Mention.sort_at,
)


_HIDDEN = 3
#: Names of the columns that the API shows under the same name, in the order of a row.
SHOWN_COLUMNS = tuple(column.key for column in _LISTED[:-_HIDDEN])


def mention_page(
    session: Session, wanted: MentionQuery, *, after: Place | None, limit: int
) -> Sequence[Row[Any]]:
    """The newest mentions after a place; the session's workspace and filters decide which."""
    query = listed().where(*_filters(session, wanted))
    if wanted.q is not None:
        query = query.where(*_says(session, wanted.q))
    if after is not None:
        query = query.where(
            tuple_(Mention.sort_at, Mention.id) < tuple_(literal(after.at), literal(after.id))
        )
    query = query.order_by(Mention.sort_at.desc(), Mention.id.desc()).limit(limit)
    return session.execute(query).all()


def counted(session: Session, wanted: MentionFilter) -> list[tuple[int, str, int]]:
    """Severity, sentiment and number of mentions, under the filters of the list."""
    severity, sentiment = EFFECTIVE_SEVERITY.label("severity"), EFFECTIVE_SENTIMENT.label("said")
    query = (
        select(severity, sentiment, func.count())
        .select_from(Mention)
        .join(PostRow, PostRow.id == Mention.post_id)
        .where(*_filters(session, wanted))
        .group_by(severity, sentiment)
    )
    if wanted.q is not None:
        query = query.where(*_says(session, wanted.q))
    return [(level, said, count) for level, said, count in session.execute(query)]


def listed() -> Select[Any]:
    """Mentions with their posts, brands and sources, as lists show them."""
    return (
        select(*_LISTED)
        .select_from(Mention)
        .join(PostRow, PostRow.id == Mention.post_id)
        .join(Brand, Brand.id == Mention.brand_id)
        .join(Source, Source.id == PostRow.source_id)
    )


def _filters(session: Session, wanted: MentionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.brand:
        found.append(Mention.brand_id.in_(brand_keys(session, wanted.brand)))
    if wanted.source:
        found.append(PostRow.source_id.in_(source_keys(session, wanted.source)))
    if wanted.sentiment:
        found.append(EFFECTIVE_SENTIMENT.in_([word.value for word in wanted.sentiment]))
    if wanted.severity is not None:
        found.append(Severity.of(wanted.severity).value <= EFFECTIVE_SEVERITY)
    if wanted.category:
        found.append(Mention.categories.overlap([word.value for word in wanted.category]))
    if wanted.language:
        found.append(Mention.language.in_(wanted.language))
    return found + _between(Mention.sort_at, wanted.from_, wanted.to)


def _between(
    column: Any, first: datetime | None, last: datetime | None
) -> list[ColumnElement[bool]]:
    since = [] if first is None else [column >= first]
    return since if last is None else [*since, column < last]


def _says(session: Session, words: str) -> list[ColumnElement[bool]]:
    """Full text, always through the mentions of the workspace.

    For a rare word the planner would walk the feed from its newest row (measured: 126,000 rows
    for 50); so the few posts that say it are found first. For a common one the walk is right.
    """
    asked = func.websearch_to_tsquery("simple", fold(clean(words)))
    if session.scalar(select(func.numnode(asked))) == 0:
        raise Problem(422, "no-words", f"There is no word to search for in {words!r} (q).")
    says = PostSearch.vector.bool_op("@@")(asked)
    probe = select(PostSearch.post_id).where(says).limit(FEW + 1)
    posts = session.scalars(probe).all()
    if len(posts) <= FEW:
        return [Mention.post_id.in_(posts)]
    matching = select(PostSearch.post_id).where(PostSearch.post_id == Mention.post_id, says)
    return [matching.exists()]


def brand_keys(session: Session, given: Sequence[str]) -> list[int]:
    """Brands named by slug or id; 422 for one that this workspace does not have."""
    return _keys(session, given, Brand, Prefix.BRAND)


def source_keys(session: Session, given: Sequence[str]) -> list[int]:
    """Sources named by slug or id; 422 for an unknown one."""
    return _keys(session, given, Source, Prefix.SOURCE)


def _keys(
    session: Session, given: Sequence[str], table: type[Brand] | type[Source], prefix: Prefix
) -> list[int]:
    found = []
    for name in given:
        # A slug holds no underscore, an id always does.
        try:
            here = table.id == database_key(prefix, name) if "_" in name else table.slug == name
        except BadIdError:
            here = table.id.is_(None)
        key = session.scalar(select(table.id).where(here))
        if key is None:
            noun = table.__tablename__
            raise Problem(422, f"unknown-{noun}", f"There is no {noun} {name!r} here.")
        found.append(key)
    return found
