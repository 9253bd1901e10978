"""``python -m sentiment.training.neural``: from published weights to the shipped file.

Every stage leaves its weights and a log in the work folder, and a checkpoint every few minutes:
started again, the command goes on where it was cut off.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Console

from core.errors import GoodnameError
from sentiment.neural.model import NETWORK, SHIPPED
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.provenance import digest
from sentiment.training.posts import read_posts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from sentiment.training.neural.encoder import Network
    from sentiment.training.neural.stages import Material

#: A network, its tokenizer, and where both come from.
Trained: TypeAlias = "tuple[Network, Tokenizer, dict[str, Any]]"


def main() -> None:
    """Train what is not trained yet, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--work", type=Path, default=Path(".training/neural"),
                        help="folder of checkpoints and logs")  # fmt: skip
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the finished model")
    parser.add_argument("--licences", type=_licences, default=TRAINABLE,
                        help="licence classes of the sets to learn from, e.g. A,B")  # fmt: skip
    parser.add_argument("--layers", type=int, default=12, choices=(4, 6, 12),
                        help="of the written model; fewer are distilled from twelve")  # fmt: skip
    parser.add_argument("--start", type=Path, help="folder of a finished model to go on from")
    parser.add_argument("--new", type=Path,
                        help="posts for it, e.g. from goodname corrections export")  # fmt: skip
    options = parser.parse_args()
    if (options.start is None) != (options.new is None):
        parser.error("--start (a model) and --new (posts for it) belong together")
    if not (options.data / "index.json").exists():
        parser.error(f"--data {options.data}: no index.json there; see docs/training.md")
    try:
        _train(options)
    except GoodnameError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error.name} is missing: install goodname[train-neural]")


def _licences(given: str) -> tuple[str, ...]:
    classes = tuple(part.strip() for part in given.split(",") if part.strip())
    unknown = sorted({*classes} - {*TRAINABLE})
    if unknown or not classes:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'none given'}; known: {', '.join(TRAINABLE)}"
        )
    return tuple(sorted({*classes}))


def _train(options: argparse.Namespace) -> None:
    # Here, so that a missing extra is told in one line.
    from sentiment.training.neural.first_stage import add_first_stage
    from sentiment.training.neural.publish import publish
    from sentiment.training.neural.stages import gather, student

    console = Console()
    options.work.mkdir(parents=True, exist_ok=True)
    material = gather(options.data, options.licences)
    console.print(f"{len(material.wide)} public texts, {len(material.ours)} posts of our own")
    made = _from_published if options.start is None else _from_finished
    network, tokenizer, origin = made(options, material)
    if options.layers < len(network.stack):
        network = student(network, tokenizer, material, options.work,
                          layers=options.layers, teacher=origin)  # fmt: skip
    publish(network, tokenizer, material.posts_dev, options.out, training=origin)
    effect = add_first_stage(options.out, material.parallel, material.public_dev)
    console.print(
        f"written to {options.out}; a cascade settles {effect.settled:.0%} of the dev texts, "
        f"costs {effect.lost:.3f} of macro-F1 and misses {effect.missed} of medium and above"
    )


def _from_published(options: argparse.Namespace, material: Material) -> Trained:
    from sentiment.training.neural.stages import general, own

    network, tokenizer = general(material, options.work)
    network = own(network, tokenizer, material, options.work)
    return network, tokenizer, {"licences": list(options.licences)}


def _from_finished(options: argparse.Namespace, material: Material) -> Trained:
    from sentiment.training.neural.further import further, origin

    try:
        new = read_posts(options.new)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise GoodnameError(f"--new: {error}") from error
    material.posts_dev.extend(post for post in new if post.split == "dev")
    made_of = {"start": digest(options.start / NETWORK), "new": digest(options.new)}
    network, tokenizer = further(options.start, new, material, options.work, made_of)
    return network, tokenizer, origin(options.start, options.licences)


if __name__ == "__main__":
    main()
