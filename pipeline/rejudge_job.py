"""One step of a lane of `goodname rejudge`: a batch in one transaction, which defers the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.crash import crash_point
from core.queue import defer_rejudging
from pipeline.ingest import first_line
from pipeline.rejudge import Chosen, Rejudged, rejudge_batch
from pipeline.rejudge_runs import close_lane, find_open, note_progress, note_wait
from sentiment.judge import Judge

log = structlog.get_logger()

#: A batch that ended its process so often is tried post by post; a post, so often alone.
_TRIES_TOGETHER = 2
_TRIES_ALONE = 5
_GIVE_WAY = timedelta(seconds=1)
_TRY_AGAIN = timedelta(seconds=5)
_WALK_AGAIN = timedelta(seconds=30)
_LOOK_FOR_JUDGE = timedelta(seconds=30)

_HELD = (
    "some mentions are tried again in 30 seconds: an alert of theirs is on its way, "
    "or their post is being judged or edited"
)
# What was just kept goes first, whatever it costs the past.
_LIVE_WAITS = text(
    "SELECT EXISTS (SELECT FROM queue.procrastinate_jobs WHERE queue_name = 'judge'"
    " AND status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejudgeJob:
    """Grades one batch of a lane.

    A step says ``run_id``, ``lane``, ``from_id`` and ``until_id`` (posts of the lane: after the
    one, up to the other); ``after_id`` is where the walk stands; ``missed`` tells that it passed
    some that were held; ``singly`` counts posts still to be tried alone; ``ended_before`` counts
    runs of this step that never came to an end.
    """

    engine: Engine
    open_judge: Callable[[], Judge]
    clock: Callable[[], datetime]
    batch_size: int = 32

    def __call__(self, step: Mapping[str, Any], *, ended_before: int = 0) -> Rejudged:
        """``ended_before`` counts the attempts at the job; an error is an end and counts none."""
        ended = step.get("ended_before", 0) + ended_before
        try:
            return self._step({**step, "ended_before": ended})
        except Exception as error:
            log.warning("rejudging_put_off", reason=str(error), exc_info=True)
            why = f"put off by an error: {first_line(error)}"
            self._put_off({**step, "ended_before": ended}, for_=_TRY_AGAIN, why=why)
            return Rejudged()

    def _step(self, step: dict[str, Any]) -> Rejudged:
        with Session(self.engine) as session:
            chosen = find_open(session, step["run_id"])
            if chosen is None:
                return Rejudged()
            if session.scalar(_LIVE_WAITS):
                self._put_off(step, for_=_GIVE_WAY)
                return Rejudged()
        judge = self.open_judge()
        if judge.name != chosen.judge:
            self._wait_for_judge(step, chosen, judge)
            return Rejudged()
        with Session(self.engine) as session:
            came = self._batch(session, step, chosen, judge)
            crash_point("rejudge_before_commit")
            session.commit()
        crash_point("rejudge_after_commit")
        return came

    def _batch(
        self, session: Session, step: dict[str, Any], chosen: Chosen, judge: Judge
    ) -> Rejudged:
        ended = step["ended_before"]
        singly = self.batch_size if ended >= _TRIES_TOGETHER else step.get("singly", 0)
        now = self.clock()
        came = rejudge_batch(
            session,
            chosen,
            judge=judge,
            after_id=step.get("after_id", step["from_id"]),
            until_id=step["until_id"],
            limit=1 if singly else self.batch_size,
            now=now,
            given_up=(
                f"judging it ended the process {ended} times"
                if ended >= _TRIES_TOGETHER + _TRIES_ALONE
                else None
            ),
        )
        missed = bool(came.missed or step.get("missed"))
        if came.last_id is None:
            self._end_lane(session, step, missed=missed)
            return came
        if came.mentions or came.dead:
            note_progress(session, step["run_id"], done=came.mentions, dead=came.dead, now=now)
        following = {name: step[name] for name in ("run_id", "lane", "from_id", "until_id")}
        following |= {"after_id": came.last_id}
        following |= {"missed": True} if missed else {}
        following |= {"singly": singly - 1} if singly > 1 else {}
        defer_rejudging(session, following)
        log.debug("mentions_rejudged", mentions=came.mentions, texts=came.texts, dead=came.dead)
        return came

    def _end_lane(self, session: Session, step: Mapping[str, Any], *, missed: bool) -> None:
        if missed:
            note_wait(session, step["run_id"], why=_HELD)
            begin = {name: step[name] for name in ("run_id", "lane", "from_id", "until_id")}
            defer_rejudging(session, begin, at=self.clock() + _WALK_AGAIN)
        elif close_lane(session, step["run_id"], step["lane"], now=self.clock()):
            log.info("rejudging_finished", run_id=step["run_id"])

    def _wait_for_judge(self, step: Mapping[str, Any], chosen: Chosen, judge: Judge) -> None:
        why = (
            f"wants the judge {chosen.judge}, and a worker has {judge.name}: "
            "restart the judge workers with the settings of today"
        )
        log.warning("rejudging_waits_for_judge", wanted=chosen.judge, here=judge.name)
        self._put_off(step, for_=_LOOK_FOR_JUDGE, why=why)

    def _put_off(self, step: Mapping[str, Any], *, for_: timedelta, why: str | None = None) -> None:
        with Session(self.engine) as session:
            if why is not None:
                note_wait(session, step["run_id"], why=why)
            defer_rejudging(session, step, at=self.clock() + for_)
            session.commit()
