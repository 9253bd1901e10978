"""/v1/corrections: what people say against what judges say."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement

from api.call import ACall
from api.problems import documented
from api.queries import brand_keys
from api.schemas.corrections import AgreementQuery, AgreementShown
from core.models import Mention
from pipeline.agreement import agreements
from pipeline.corrections import count_corrections

router = APIRouter(prefix="/v1/corrections", tags=["corrections"], responses=documented())


@router.get("/agreement")
def read_agreement(call: ACall, wanted: Annotated[AgreementQuery, Query()]) -> AgreementShown:
    """How often each judge says what people said, on the mentions that people corrected.

    People correct mostly what is wrong: compare judges by it, and do not read it as the share of
    all mentions that is right.
    """
    conditions: list[ColumnElement[bool]] = []
    if wanted.brand:
        conditions.append(Mention.brand_id.in_(brand_keys(call.session, wanted.brand)))
    if wanted.from_ is not None:
        conditions.append(Mention.corrected_at >= wanted.from_)
    if wanted.to is not None:
        conditions.append(Mention.corrected_at < wanted.to)
    judges: list[dict[str, Any]] = [
        asdict(one) | {"recall_of_critical": one.recall_of_critical}
        for one in agreements(call.session, *conditions)
    ]
    corrected, _ = count_corrections(call.session, *conditions)
    return AgreementShown.model_validate({"corrected": corrected, "judges": judges})
