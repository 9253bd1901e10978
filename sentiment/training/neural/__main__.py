"""``python -m sentiment.training.neural``: from published weights to the shipped file.

Every stage leaves its weights and a log in the work folder, and a checkpoint every few minutes:
started again, the command goes on where it was cut off.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from sentiment.neural.model import SHIPPED
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.first_stage import add_first_stage
from sentiment.training.neural.stages import gather, general, own, publish, student


def main() -> None:
    """Train what is not trained yet, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--work", type=Path, default=Path(".training/neural"),
                        help="folder of checkpoints and logs")  # fmt: skip
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the finished model")
    parser.add_argument("--licences", default=",".join(TRAINABLE),
                        help="licence classes of the sets to learn from, e.g. A,B")  # fmt: skip
    parser.add_argument("--layers", type=int, default=12, choices=(4, 6, 12),
                        help="of the written model; fewer are distilled from twelve")  # fmt: skip
    options = parser.parse_args()
    console = Console()
    options.work.mkdir(parents=True, exist_ok=True)
    licences = options.licences.split(",")
    material = gather(options.data, licences)
    console.print(f"{len(material.wide)} public texts, {len(material.posts)} posts of our own")
    network, tokenizer = general(material, options.work)
    network = own(network, tokenizer, material, options.work)
    if options.layers < len(network.stack):
        network = student(network, tokenizer, material, options.work, layers=options.layers)
    publish(network, tokenizer, material, options.out, licences=licences)
    effect = add_first_stage(options.out, material.posts_dev, material.public_dev)
    console.print(f"written to {options.out}; a cascade settles {effect.settled:.0%} of the dev "
                  f"texts and costs {effect.lost:.3f} of macro-F1")  # fmt: skip


if __name__ == "__main__":
    main()
