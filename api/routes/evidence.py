"""/v1/mentions/{id}/evidence: what the site answered when a mention was read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.call import ACall
from api.problems import documented
from api.raw_answers import download, kept_answers
from api.schemas.evidence import EvidenceList
from core.ids import Prefix, database_key

router = APIRouter(prefix="/v1/mentions", tags=["mentions"], responses=documented())

Version = Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the post.")]


@router.get("/{mention_id}/evidence")
def list_evidence(mention_id: str, call: ACall) -> EvidenceList:
    """The raw answers in which the versions of a mention were read, as far as they are kept.

    Each is kept for some days, and for good once the mention was judged severe; see `[evidence]`
    in the settings. The body may hold other people's posts of the same page.
    """
    found = kept_answers(call.session, database_key(Prefix.MENTION, mention_id))
    return EvidenceList.model_validate({"items": found})


@router.get(
    "/{mention_id}/evidence/{version}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The body."}},
)
def download_evidence(mention_id: str, version: Version, call: ACall) -> Response:
    """The body of one answer, byte for byte, as an attachment; `Content-Digest` is its SHA-256."""
    return download(call.session, database_key(Prefix.MENTION, mention_id), version)
