"""/v1/brands: who is watched."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.call import ACall
from api.changes import apply_changes
from api.idempotency import Answer, ARepeat, answer_once
from api.lists import ListQuery, newest_first
from api.managed import refuse_if_declared, save_new
from api.problems import documented, not_found
from api.schemas.brands import BrandChange, BrandPage, BrandShown, NewBrand
from api.shown import show_id
from core.ids import Prefix, database_key
from core.models import Brand
from core.queue import defer_rematch

router = APIRouter(prefix="/v1/brands", tags=["brands"], responses=documented())


@router.get("")
def list_brands(
    request: Request, response: Response, call: ACall, wanted: Annotated[ListQuery, Query()]
) -> BrandPage:
    """The watched brands of this workspace, newest first."""
    cut = newest_first(
        call.session,
        select(Brand),
        at=Brand.created_at,
        key=Brand.id,
        wanted=wanted,
        request=request,
        response=response,
    )
    return BrandPage(items=[show_brand(row.Brand) for row in cut.rows], next=cut.next)


@router.post("", status_code=201, response_model=BrandShown)
def create_brand(wanted: NewBrand, call: ACall, repeat: ARepeat) -> Response:
    """Watch a brand, in new posts and in those kept before."""

    def act() -> Answer:
        row = Brand(
            workspace_id=call.caller.workspace_id,
            **wanted.model_dump(),
            managed_by="api",
            created_at=call.now,
            updated_at=call.now,
        )
        save_new(call.session, row, noun="brand", slug=wanted.slug)
        defer_rematch(call.session, row.id)
        shown = show_brand(row)
        return Answer(status=201, body=shown, location=f"/v1/brands/{shown.id}")

    return answer_once(call, repeat, act)


@router.get("/{brand_id}")
def read_brand(brand_id: str, call: ACall) -> BrandShown:
    """One brand."""
    return show_brand(_own(call.session, brand_id))


@router.patch("/{brand_id}")
def change_brand(brand_id: str, wanted: BrandChange, call: ACall) -> BrandShown:
    """Change how a brand is recognised; posts kept before get mentions too, and lose none."""
    brand = _own(call.session, brand_id)
    refuse_if_declared(brand, noun="brand")
    apply_changes(brand, wanted, may_be_null={"query"})
    brand.updated_at = call.now
    defer_rematch(call.session, brand.id)
    return show_brand(brand)


@router.delete("/{brand_id}", status_code=204)
def delete_brand(brand_id: str, call: ACall) -> None:
    """Forget a brand with its mentions and alerts; `is_active: false` only stops the watch."""
    brand = _own(call.session, brand_id)
    refuse_if_declared(brand, noun="brand")
    call.session.delete(brand)
    call.session.flush()


def _own(session: Session, brand_id: str) -> Brand:
    brand = session.get(Brand, database_key(Prefix.BRAND, brand_id), with_for_update=True)
    if brand is None:
        raise not_found("This brand")
    return brand


def show_brand(brand: Brand) -> BrandShown:
    """Write a row as the API shows it."""
    return BrandShown(
        id=show_id(Prefix.BRAND, brand.id),
        slug=brand.slug,
        name=brand.name,
        aliases=brand.aliases,
        query=brand.query,
        excluded=brand.excluded,
        domains=brand.domains,
        handles=brand.handles,
        is_active=brand.is_active,
        managed_by=brand.managed_by,
        created_at=brand.created_at,
        updated_at=brand.updated_at,
    )
