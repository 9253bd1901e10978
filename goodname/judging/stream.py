"""Judge a stream of lines: a batch at a time, in order, each exactly once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from core.errors import GoodnameError
from goodname.judging.lines import Input, InputError, Line
from goodname.judging.output import Progress
from goodname.judging.row import Fields, Row, judged_row, read_row
from sentiment.judge import Judge, Judgement

BATCH: Final = 32  #: texts judged at once: seconds of work, whatever the judge …
BATCH_BYTES: Final = 8 << 20  #: … or fewer, so that long ones do not fill the memory
KEEP_SECONDS: Final = 2.0  #: what a kill costs at most, in work to be done again …
KEEP_BYTES: Final = 16 << 20  #: … and what may wait for it

Advance = Callable[[int], None]


class Sink(Protocol):
    """Where rows go."""

    progress: Progress  #: where an earlier run stopped

    def add(self, rows: bytes, progress: Progress) -> None:
        """Take whole rows, and how far the output is with them."""
        ...

    def keep(self) -> None:
        """Make what was added last."""
        ...


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the lines."""

    resumed: int = 0  #: rows of an earlier run
    rows: int = 0  #: of this run
    bad: int = 0  #: rows with an error, those of earlier runs included
    reasons: Counter[str] = field(default_factory=Counter)  #: of this run, without details


def judge_lines(
    source: Input,
    sink: Sink,
    judge: Judge,
    fields: Fields,
    *,
    advance: Advance = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Tally:
    """One row for each line that is not blank; ``advance`` is told how many rows are new.

    What was judged is kept when something ends the run early, damaged input included.
    """
    lines = iter(source)
    _skip(source, lines, sink.progress)
    tally = Tally(resumed=sink.progress.rows, bad=sink.progress.bad)
    kept_at, waiting = clock(), 0
    try:
        for batch in _batches(lines):
            rows = [read_row(line, fields) for line in batch]
            data = b"".join(
                judged_row(row, judgement, fields)
                for row, judgement in zip(rows, _judgements(rows, judge), strict=True)
            )
            _count(tally, rows)
            sink.add(data, replace(
                sink.progress, rows=tally.resumed + tally.rows, bad=tally.bad,
                line=batch[-1].number, digest=batch[-1].digest,
            ))  # fmt: skip
            advance(len(rows))
            waiting += len(data)
            if clock() - kept_at >= KEEP_SECONDS or waiting >= KEEP_BYTES:
                sink.keep()
                kept_at, waiting = clock(), 0
    finally:
        sink.keep()
    return tally


def _count(tally: Tally, rows: list[Row]) -> None:
    tally.rows += len(rows)
    for row in rows:
        if row.error is not None:
            tally.bad += 1
            tally.reasons[row.error.split(":")[0].split(";")[0]] += 1


def _skip(source: Input, lines: Iterator[Line], progress: Progress) -> None:
    """Pass what has its row, and see that it is still the same."""
    if not progress.rows:
        return
    digest = next((line.digest for line in lines if line.number >= progress.line), "")
    if digest != progress.digest:
        raise GoodnameError(
            f"{source.name}: cannot go on: the lines that were judged before have changed; "
            "--overwrite begins anew, another --out leaves the old rows"
        )


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    try:
        for line in lines:
            batch.append(line)
            size += len(line.data or b"")
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except InputError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _judgements(rows: list[Row], judge: Judge) -> list[Judgement | None]:
    judged = iter(judge([row.text for row in rows if row.text is not None]))
    return [next(judged) if row.text is not None else None for row in rows]
