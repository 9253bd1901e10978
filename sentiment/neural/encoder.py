"""Token ids in, logits out: many texts beside each other, results in the order of the texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32]
In = TypeVar("In")
Out = TypeVar("Out")

#: Tokens of one run at most: bounds memory whatever the batch.
RUN_TOKENS: Final = 2_048


@dataclass(frozen=True, slots=True)
class Logits:
    """One row a text."""

    sentiment: Floats
    severity: Floats
    category: Floats
    look: tuple[Floats, ...]  #: per text: how much the severity head sees of each token


class Encoder:
    """Runs the network; any number of threads may call it."""

    def __init__(self, session: ort.InferenceSession, *, threads: int, batch_size: int) -> None:
        self._session = session
        self._batch_size = batch_size
        self._threads = threads or cores()
        self._pool = ThreadPoolExecutor(self._threads, "judge") if self._threads > 1 else None

    def each(self, act: Callable[[In], Out], items: Sequence[In]) -> Iterable[Out]:
        """``act`` on each item, on as many cores as were given; results in order."""
        if self._pool is None or len(items) < 2:
            return map(act, items)
        return self._pool.map(act, items)

    def __call__(self, rows: Sequence[tuple[int, ...]]) -> Logits:
        """The network's opinion of each row of ids; the same row is read once."""
        distinct = list(dict.fromkeys(rows))
        plan = batches(list(map(len, distinct)), size=self._batch_size)
        answers = self.each(self._run, [[distinct[i] for i in batch] for batch in plan])
        parts: dict[tuple[int, ...], tuple[Numbers, ...]] = {}
        for batch, numbers in zip(plan, answers, strict=True):
            for place, i in enumerate(batch):
                parts[distinct[i]] = tuple(number[place] for number in numbers)
        sentiment, severity, category = (
            np.array([parts[row][kind] for row in rows], dtype=np.float64) for kind in range(3)
        )
        return Logits(
            sentiment,
            severity,
            category,
            look=tuple(np.array(parts[row][3][1:-1], dtype=np.float64) for row in rows),
        )

    def _run(self, rows: Sequence[tuple[int, ...]]) -> list[Numbers]:
        ids = np.array(rows, dtype=np.int64)
        answers = self._session.run(
            ["sentiment", "severity", "category", "look"],
            {"input_ids": ids},
        )
        return [np.asarray(answer) for answer in answers]


def batches(lengths: Sequence[int], *, size: int) -> list[list[int]]:
    """Which rows run together: of one length, at most ``size``, the longest first.

    Nothing is ever padded: a pad costs as much as a token, and in int8 it moves its neighbours.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    plan: list[list[int]] = []
    for i in order:
        most = min(size, RUN_TOKENS // max(lengths[i], 1))
        if plan and lengths[plan[-1][0]] == lengths[i] and len(plan[-1]) < most:
            plan[-1].append(i)
        else:
            plan.append([i])
    return plan


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
