"""How fast the shipped judge is beside reading alone: ``python bench/judge.py``."""

from __future__ import annotations

import time
from collections.abc import Callable

from sentiment.language import identify
from sentiment.linear.ngrams import grams
from sentiment.linear.stream import read
from sentiment.load import load_judge
from sentiment.training.posts import read_posts

WORDS = 40
TEXTS = 2_000
BATCH = 256


def main() -> None:
    """Texts per CPU-second; compare the rows of one run, not runs."""
    texts = _texts()
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    judge = load_judge()
    stages: dict[str, Callable[[list[str]], object]] = {
        "lower and split, the least one can do": lambda batch: [t.lower().split() for t in batch],
        "n-grams alone": lambda batch: list(grams(read(batch))),
        "language alone": lambda batch: [identify(text) for text in batch],
        f"the whole judgement ({judge.name})": judge,
    }
    for name, stage in stages.items():
        stage(batches[0])
        started = time.process_time()
        for batch in batches:
            stage(batch)
        print(f"{len(texts) / (time.process_time() - started):>12,.0f}  {name}")


def _texts() -> list[str]:
    words = " ".join(post.text for post in read_posts()).split()
    starts = range(0, TEXTS * 7, 7)
    return [" ".join((words[s % len(words) :] + words)[:WORDS]) for s in starts]


if __name__ == "__main__":
    main()
