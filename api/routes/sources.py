"""/v1/sources: what is crawled, how often, and how it went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.call import ACall
from api.changes import apply_changes
from api.idempotency import Answer, ARepeat, answer_once
from api.lists import ListQuery, newest_first
from api.managed import refuse_if_declared, save_new
from api.neighbours import loss_of, refuse_loss_to_others
from api.problems import Problem, documented, not_found
from api.roles import may
from api.schemas.sources import (
    NewSource,
    RunAsked,
    RunPage,
    RunShown,
    SourceChange,
    SourceKindList,
    SourceKindShown,
    SourcePage,
    SourceShown,
)
from api.shown import show_id
from api.source_checks import check_interval, check_opted_in, check_params, known_kind
from core.ids import Prefix, database_key
from core.models import CrawlRun, PostRow, Source, SourceKind
from core.public_address import shown_params
from core.queue import defer_crawl
from core.types import Role

router = APIRouter(prefix="/v1", tags=["sources"], responses=documented())


@router.get("/source-kinds")
def list_source_kinds(call: ACall) -> SourceKindList:
    """What this installation can crawl, and what it needs to know for it."""
    kinds = call.session.scalars(select(SourceKind).order_by(SourceKind.kind))
    return SourceKindList(
        items=[
            SourceKindShown(
                kind=one.kind,
                title=one.title,
                config_schema=one.config_schema,
                minimum_interval_seconds=one.minimum_interval_seconds,
                is_verified=one.is_verified,
                family=one.family,
                needs_opt_in=one.needs_opt_in,
                is_opted_in=one.is_opted_in,
                secrets=one.secrets,
            )
            for one in kinds
        ]
    )


@router.get("/sources")
def list_sources(
    request: Request, response: Response, call: ACall, wanted: Annotated[ListQuery, Query()]
) -> SourcePage:
    """All sources of the installation, newest first."""
    cut = newest_first(
        call.session,
        select(Source),
        at=Source.created_at,
        key=Source.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return SourcePage(
        items=[show_source(row.Source, call.caller.role) for row in cut.rows], next=cut.next
    )


@router.post("/sources", status_code=201, response_model=SourceShown)
def create_source(wanted: NewSource, call: ACall, repeat: ARepeat) -> Response:
    """Crawl a place from now on; the first run is due at once."""

    def act() -> Answer:
        kind = known_kind(call.session, wanted.kind)
        check_params(kind, wanted.params)
        check_interval(kind, wanted.interval_seconds)
        if wanted.is_enabled:
            check_opted_in(kind)
        row = Source(
            **wanted.model_dump(), managed_by="api", created_at=call.now, updated_at=call.now
        )
        save_new(call.session, row, noun="source", slug=wanted.slug)
        call.session.refresh(row)
        shown = show_source(row, call.caller.role)
        return Answer(status=201, body=shown, location=f"/v1/sources/{shown.id}")

    return answer_once(call, repeat, act)


@router.get("/sources/{source_id}")
def read_source(source_id: str, call: ACall) -> SourceShown:
    """One source and how its last run went."""
    return show_source(find_source(call.session, source_id), call.caller.role)


@router.patch("/sources/{source_id}")
def change_source(source_id: str, wanted: SourceChange, call: ACall) -> SourceShown:
    """Change its frequency, its params, or whether it is crawled at all."""
    source = find_source(call.session, source_id, is_to_change=True)
    refuse_if_declared(source, noun="source")
    kind = known_kind(call.session, source.kind)
    if wanted.params is not None:
        check_params(kind, wanted.params)
    if wanted.interval_seconds is not None:
        check_interval(kind, wanted.interval_seconds)
    if wanted.is_enabled:
        check_opted_in(kind)
    if loss := loss_of(source, wanted):
        refuse_loss_to_others(call, source, what=loss)
    apply_changes(source, wanted)
    source.updated_at = call.now
    _bring_forward(source, wanted, now=call.now)
    call.session.flush()
    return show_source(source, call.caller.role)


def _bring_forward(source: Source, wanted: SourceChange, *, now: datetime) -> None:
    """Let a change hold from now on, and not only after a due time that was set before it."""
    if wanted.params is not None:
        source.next_due_at = now
    elif wanted.interval_seconds is not None and source.next_due_at is not None:
        soon = now + timedelta(seconds=source.interval_seconds)
        source.next_due_at = min(source.next_due_at, soon)


@router.delete("/sources/{source_id}", status_code=204)
def delete_source(
    source_id: str,
    call: ACall,
    with_posts: Annotated[
        bool, Query(description="Also delete its posts, and with them your mentions.")
    ] = False,
) -> None:
    """Forget a source; `is_enabled: false` keeps what was read and only stops the crawl."""
    source = find_source(call.session, source_id, is_to_change=True)
    refuse_if_declared(source, noun="source")
    refuse_loss_to_others(call, source, what="delete")
    has_posts = call.session.scalar(select(exists().where(PostRow.source_id == source.id)))
    if has_posts and not with_posts:
        raise Problem(
            409,
            "has-posts",
            "Posts of this source are kept; disable it, or repeat with ?with_posts=true.",
        )
    call.session.delete(source)
    call.session.flush()


@router.post(
    "/sources/{source_id}/run",
    status_code=202,
    response_model=RunAsked,
    responses={200: {"model": RunAsked, "description": "A crawl of it waits already"}},
)
def run_source(source_id: str, call: ACall, repeat: ARepeat) -> Response:
    """Crawl now instead of at the next due time; of one source only one crawl runs at a time."""

    def act() -> Answer:
        source = find_source(call.session, source_id)
        asked = ask_for_run(call.session, source)
        return Answer(status=202 if asked.is_queued else 200, body=asked)

    return answer_once(call, repeat, act)


@router.get("/sources/{source_id}/runs")
def list_runs(
    source_id: str,
    request: Request,
    response: Response,
    call: ACall,
    wanted: Annotated[ListQuery, Query()],
) -> RunPage:
    """How the runs of a source went, newest first."""
    source = find_source(call.session, source_id)
    cut = newest_first(
        call.session,
        select(CrawlRun).where(CrawlRun.source_id == source.id),
        at=CrawlRun.started_at,
        key=CrawlRun.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return RunPage(items=[_show_run(row.CrawlRun) for row in cut.rows], next=cut.next)


def ask_for_run(session: Session, source: Source) -> RunAsked:
    """Put one crawl into the queue, unless one waits; 409 when the source is switched off."""
    if not source.is_enabled:
        raise Problem(409, "disabled", "This source is disabled; enable it first.")
    is_queued = defer_crawl(session, source.id, trigger="api")
    detail = "Queued." if is_queued else "A crawl of this source waits already."
    return RunAsked(source_id=show_id(Prefix.SOURCE, source.id), is_queued=is_queued, detail=detail)


def find_source(session: Session, source_id: str, *, is_to_change: bool = False) -> Source:
    """The source of that id; 404 otherwise."""
    key = database_key(Prefix.SOURCE, source_id)
    source = session.get(Source, key, with_for_update=is_to_change or None)
    if source is None:
        raise not_found("This source")
    return source


def show_source(source: Source, role: Role) -> SourceShown:
    """Write a row as the API shows it; its addresses in full to those who may change it."""
    is_operator = may(role, "change_source")
    return SourceShown(
        id=show_id(Prefix.SOURCE, source.id),
        slug=source.slug,
        kind=source.kind,
        params=source.params if is_operator else shown_params(source.params),
        interval_seconds=source.interval_seconds,
        time_zone=source.time_zone,
        is_enabled=source.is_enabled,
        next_due_at=source.next_due_at,
        last_outcome=source.last_outcome,
        last_reason=source.last_reason,
        last_run_at=source.last_run_at,
        failures=source.failures,
        managed_by=source.managed_by,
        created_at=source.created_at,
        updated_at=source.updated_at,
    )


def _show_run(run: CrawlRun) -> RunShown:
    return RunShown(
        id=show_id(Prefix.RUN, run.id),
        source_id=show_id(Prefix.SOURCE, run.source_id),
        outcome=run.outcome,
        reason=run.reason,
        started_at=run.started_at,
        finished_at=run.finished_at,
        pages=run.pages,
        posts_seen=run.posts_seen,
        posts_new=run.posts_new,
        posts_changed=run.posts_changed,
        dead_letters=run.dead_letters,
        coverage=run.coverage,
    )
