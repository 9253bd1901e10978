"""How alike our posts are: ``python -m sentiment.training.likeness`` prints a table.

Likeness is the cosine of two posts' tf-idf vectors over the groups of four characters within
words: 1 is the same text, 0.3 the same phrases, 0.1 the same language.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer

from sentiment.training.posts import LabelledPost, read_posts

PARTS = (("train", "train"), ("test", "test"), ("test", "train"), ("dev", "train"), ("test", "dev"))


@dataclass(frozen=True, slots=True)
class Likeness:
    """Each post of a part against its nearest neighbour in another part (or its own)."""

    lang: str
    part: str
    against: str
    posts: int
    median: float
    p95: float
    most: float
    pair: tuple[str, str]  #: the two most alike


def likeness(
    posts: Sequence[LabelledPost], others: Sequence[LabelledPost], *, lang: str
) -> Likeness:
    """Nearest neighbours of ``posts`` among ``others``; a post is not its own neighbour."""
    same = posts is others
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True)
    learned = vectors.fit_transform([post.text for post in [*posts, *others]])
    near = (learned[: len(posts)] @ learned[len(posts) :].T).toarray()
    if same:
        np.fill_diagonal(near, 0.0)
    best = near.max(axis=1)
    worst = int(best.argmax())
    return Likeness(
        lang, posts[0].split, others[0].split, len(posts), float(np.median(best)),
        float(np.percentile(best, 95)), float(best[worst]),
        (posts[worst].text, others[int(near[worst].argmax())].text),
    )  # fmt: skip


def table_of(posts: Sequence[LabelledPost]) -> list[Likeness]:
    """All parts of all languages that have both."""
    found = []
    for lang in sorted({post.lang for post in posts}):
        of = {split: [p for p in posts if p.lang == lang and p.split == split]
              for split in ("train", "dev", "test")}  # fmt: skip
        found += [likeness(of[part], of[against], lang=lang)
                  for part, against in PARTS if of[part] and of[against]]  # fmt: skip
    return found


def main() -> None:
    """Print the table, with ``--json`` as lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = table_of(read_posts())
    console = Console()
    if options.json:
        for row in found:
            print(json.dumps(asdict(row), ensure_ascii=False))
        return
    table = Table("language", "part", "against", "posts", "median", "95 %", "most alike")
    for row in found:
        table.add_row(row.lang, row.part, row.against, str(row.posts),
                      f"{row.median:.2f}", f"{row.p95:.2f}", f"{row.most:.2f}")  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
