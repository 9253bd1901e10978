"""Several writers of one source at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.models import PostRow, PostVersion
from core.types import Post
from pipeline.ingest import Kept, keep
from tests.factories import add_source, make_post
from tests.pipeline.kept_posts import jobs


def test_two_writers_of_the_same_posts_keep_each_once(engine: Engine, now: datetime) -> None:
    with Session(engine) as setup:
        source_id = add_source(setup).id
        setup.commit()
    posts = [make_post(external_id=f"p{n}") for n in range(120)]
    totals: list[Kept] = []

    def write(seed: int) -> None:
        mine = list(posts)
        random.Random(seed).shuffle(mine)
        for part in (mine[:60], mine[60:]):
            with Session(engine) as own:
                totals.append(write_once(own, part, source_id, now))
                own.commit()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as check:
        assert check.scalar(select(func.count()).select_from(PostRow)) == 120
        judged = [id_ for batch in jobs(check) for id_ in batch]
    assert sum(one.new for one in totals) == 120
    assert len(judged) == len(set(judged)) == 120


def write_once(session: Session, part: Sequence[Post], source_id: int, now: datetime) -> Kept:
    return keep(session, part, source_id=source_id, crawl_run_id=None, now=now)


def test_writers_of_overlapping_edits_never_wait_in_a_circle(engine: Engine, now: datetime) -> None:
    with Session(engine) as setup:
        source_id = add_source(setup).id
        setup.commit()
    posts = [make_post(external_id=f"p{n}") for n in range(60)]

    def write(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(8):
            some = draw.sample(posts, 25)
            edited = [replace(one, text=draw.choice("abc")) for one in some]
            with Session(engine) as own:
                write_once(own, edited, source_id, now)
                own.commit()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as check:
        risen = check.scalar(select(func.sum(PostRow.version - 1)))
        assert risen == check.scalar(select(func.count()).select_from(PostVersion))
