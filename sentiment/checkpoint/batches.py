"""Which texts run together: alike in length, so that little is padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: The shortest text of a run is at least so long beside the longest.
ALIKE: Final = 0.8


def batches(lengths: Sequence[int], *, size: int, most_tokens: int) -> list[list[int]]:
    """Places of the texts of each run, longest first, every place once.

    A run has at most ``size`` texts and, padding included, ``most_tokens`` tokens, unless one
    text alone has more.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    plan: list[list[int]] = []
    for i in order:
        run = plan[-1] if plan else []
        longest = lengths[run[0]] if run else 0
        fits = len(run) < size and longest * (len(run) + 1) <= most_tokens
        if run and fits and lengths[i] >= ALIKE * longest:
            run.append(i)
        else:
            plan.append([i])
    return plan
