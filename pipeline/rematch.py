"""A brand that was added or changed finds the posts that were kept before.

It only looks: what names the brand and has no mention of it is handed to the ordinary judge job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.models import Brand, PostRow
from core.queue import defer_judging, defer_rematch
from pipeline.assess import readable
from pipeline.match import Matcher
from pipeline.mentions import said_before, watched
from pipeline.unjudged import read_kept

log = structlog.get_logger()

_POST: Any = PostRow.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class RematchJob:
    """Walks over one batch of kept posts, and defers the next step in the same transaction."""

    engine: Engine
    batch_size: int = 500

    def __call__(
        self, brand_id: int, *, after_id: int = 0, changed_at: datetime | None = None
    ) -> int:
        """Find the posts of a batch that are to be judged; their number.

        ``changed_at`` names the state of the brand that the walk began for: after a change
        another walk is under way, from the first post on, and this one ends.
        """
        brand = self._read(brand_id)
        if brand is None or changed_at not in (None, brand.updated_at):
            return 0
        with Session(self.engine) as session:
            posts = read_kept(session, after_id=after_id, limit=self.batch_size)
        find = Matcher([watched(brand)])
        wanted = [post.id for post in posts if find(*readable(post))]
        with Session(self.engine) as session:
            taken, held = _reopen(session, wanted, brand_id=brand_id, is_patient=False)
            session.commit()
        # Somebody judges or changes these just now: wait for each alone, holding nothing else.
        for post_id in held:
            with Session(self.engine) as session:
                taken += _reopen(session, [post_id], brand_id=brand_id, is_patient=True)[0]
                session.commit()
        if len(posts) == self.batch_size:
            with Session(self.engine) as session:
                defer_rematch(session, brand_id, after_id=posts[-1].id, changed_at=brand.updated_at)
                session.commit()
        log.info("brand_rematched", brand_id=brand_id, posts=len(posts), found=taken)
        return taken

    def _read(self, brand_id: int) -> Brand | None:
        """The brand as it is; waits for a change under way, which may have found us waiting."""
        with Session(self.engine, expire_on_commit=False) as session:
            brand = session.scalar(
                select(Brand)
                .where(Brand.id == brand_id, Brand.is_active)
                .with_for_update(read=True)
            )
            session.commit()
        return brand


def _reopen(
    session: Session, post_ids: Sequence[int], *, brand_id: int, is_patient: bool
) -> tuple[int, list[int]]:
    """Have judged posts without a mention of the brand judged again; also the ids held by others.

    Who is not judged yet will be by somebody who reads the brand as it is now.
    """
    if not post_ids:
        return 0, []
    p = _POST.c
    rows = session.execute(
        select(p.id, p.version, p.judged_version)
        .where(p.id.in_(post_ids))
        .order_by(p.id)
        .with_for_update(of=_POST, skip_locked=not is_patient, key_share=True)
    ).all()
    said = said_before(session, [(row.id, row.version) for row in rows])
    found = [
        row.id
        for row in rows
        if row.judged_version == row.version and (row.id, brand_id) not in said
    ]
    if found:
        session.execute(update(_POST).where(p.id.in_(found)).values(judged_version=None))
        defer_judging(session, found)
    return len(found), sorted(set(post_ids) - {row.id for row in rows})
