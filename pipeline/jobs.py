"""The jobs of the judge and deliver queues, as one process runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.crash import crash_point
from core.queue import Task, defer, defer_judging
from core.types import Severity
from pipeline.assess import Assessed, give_up, judge_posts
from sentiment.judge import Judge

log = structlog.get_logger()

#: A batch that ended its process so often is tried post by post, each in a job of its own.
_TRIES_TOGETHER = 2
_TRIES_ALONE = 5
_LOOK_AGAIN = timedelta(seconds=2)
_TRY_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeJob:
    """Judges one batch in one transaction."""

    engine: Engine
    open_judge: Callable[[], Judge]  #: loads the model at the first call
    clock: Callable[[], datetime]
    evidence_from: Severity = Severity.HIGH  #: as in ``judge_posts``

    def __call__(self, post_ids: Sequence[int], *, ended_before: int) -> Assessed:
        """``ended_before`` counts the runs of this job that never came to an end.

        An error is an end: a database that is away, say, is no fault of the posts. A like job
        takes over then, and only when not even that can be written the error is raised.
        """
        try:
            return self._judge(post_ids, ended_before=ended_before)
        except Exception as error:
            log.warning("judging_put_off", posts=len(post_ids), reason=str(error), exc_info=True)
            self._put_off(post_ids, ended_before=ended_before)
            return Assessed()

    def _judge(self, post_ids: Sequence[int], *, ended_before: int) -> Assessed:
        if ended_before >= _TRIES_TOGETHER and len(post_ids) > 1:
            return self._split(post_ids)
        with Session(self.engine) as session:
            if ended_before >= _TRIES_ALONE:
                why = f"judging it ended the process {ended_before} times"
                assessed = give_up(session, post_ids, reason=why, now=self.clock())
            else:
                judge = self.open_judge()
                assessed = judge_posts(
                    session,
                    post_ids,
                    judge=judge,
                    now=self.clock(),
                    evidence_from=self.evidence_from,
                )
            if assessed.missed:
                self._look_again(session, assessed.missed)
            crash_point("judge_before_commit")
            session.commit()
        crash_point("judge_after_commit")
        log.info(
            "posts_judged",
            posts=assessed.posts,
            mentions=assessed.mentions,
            alerts=assessed.alerts,
            dead_letters=assessed.dead,
        )
        return assessed

    def _split(self, post_ids: Sequence[int]) -> Assessed:
        log.warning("batch_split", posts=len(post_ids))
        with Session(self.engine) as session:
            defer_judging(session, post_ids, batch_size=1)
            session.commit()
        return Assessed()

    def _put_off(self, post_ids: Sequence[int], *, ended_before: int) -> None:
        arguments = {"post_ids": list(post_ids), "ended_before": ended_before}
        with Session(self.engine) as session:
            defer(session, Task.JUDGE, arguments, at=self.clock() + _TRY_AGAIN)
            session.commit()

    def _look_again(self, session: Session, missed: Sequence[int]) -> None:
        """Another transaction held them; it may have been a crawl that changed nothing."""
        at = self.clock() + _LOOK_AGAIN
        defer(session, Task.JUDGE, {"post_ids": list(missed)}, at=at)
