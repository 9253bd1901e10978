"""``python -m sentiment.training.neural``: from published weights to the shipped file.

Every stage leaves its weights and a log in the work folder, and a checkpoint every few minutes:
started again, the command goes on where it was cut off.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from core.errors import GoodnameError
from sentiment.neural.model import SHIPPED
from sentiment.training.corpora import TRAINABLE, licences
from sentiment.training.neural.weights import MOST_LAYERS


def main() -> None:
    """Train what is not trained yet, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--work", type=Path, default=Path(".training/neural"),
                        help="folder of checkpoints and logs")  # fmt: skip
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the finished model")
    parser.add_argument("--licences", type=licences,
                        help="licence classes of the sets to learn from, e.g. A,B (default: all, "
                             "with --start its own)")  # fmt: skip
    parser.add_argument("--layers", type=int, default=MOST_LAYERS, choices=(4, 6, MOST_LAYERS),
                        help="of the written model; fewer are distilled from twelve")  # fmt: skip
    parser.add_argument("--start", type=Path, help="folder of a finished model to go on from")
    parser.add_argument("--new", type=Path,
                        help="posts for it, e.g. from goodname corrections export")  # fmt: skip
    parser.add_argument("--epochs", type=_count, metavar="N",
                        help="of our posts (default 4), of --new (5) or of a student (3)",
                        )  # fmt: skip
    parser.add_argument("--float32", action="store_true",
                        help="keep the weights as they are: measures what int8 costs")  # fmt: skip
    options = parser.parse_args()
    if options.new and not options.start:
        parser.error("--new (posts) needs --start (a finished model to learn them)")
    if options.start and not options.new and options.layers == MOST_LAYERS:
        parser.error("--start (a finished model) needs --new (posts for it) or --layers 6 or 4")
    if options.start and options.start.resolve() == options.out.resolve():
        parser.error("--out would replace the model of --start: name another folder with --out")
    if options.float32 and options.out.resolve() == SHIPPED.resolve():
        parser.error("--float32 is for measuring, four times as large: name a folder with --out")
    if not (options.data / "index.json").exists():
        parser.error(f"--data {options.data}: no index.json there; see docs/training.md")
    try:
        _train(options)
    except GoodnameError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error.name} is missing: install goodname[train-neural]")


def _count(given: str) -> int:
    if not given.isdecimal() or not int(given):
        raise argparse.ArgumentTypeError(f"{given}: a number of 1 or more")
    return int(given)


def _train(options: argparse.Namespace) -> None:
    # Here, so that a missing extra is told in one line.
    from sentiment.training.neural.course import shorten, take
    from sentiment.training.neural.finished import licences_of
    from sentiment.training.neural.first_stage import add_first_stage
    from sentiment.training.neural.further import read_lesson
    from sentiment.training.neural.publish import publish
    from sentiment.training.neural.stages import gather

    console = Console()
    options.work.mkdir(parents=True, exist_ok=True)
    lesson = read_lesson(options.start, options.new) if options.new else None
    classes = options.licences or (licences_of(options.start) if options.start else TRAINABLE)
    material = gather(options.data, classes)
    console.print(f"{len(material.wide)} public texts of the classes {', '.join(classes)}, "
                  f"{len(material.posts)} posts of our own")  # fmt: skip
    if lesson:
        console.print(f"{lesson.model} goes on with {len(lesson.posts)} posts of {options.new}; "
                      f"{lesson.left} of its posts are of other splits and are left")  # fmt: skip
    asked = {"licences": classes, "layers": options.layers}
    if options.epochs:
        asked["epochs"] = options.epochs
    if options.start and not options.new:
        learned = shorten(options.start, material, options.work, **asked)
    else:
        learned = take(material, options.work, lesson=lesson, **asked)
    publish(learned.network, learned.tokenizer, material.posts_dev, options.out,
            training=learned.origin, int8=not options.float32)  # fmt: skip
    effect = add_first_stage(options.out, material.parallel, material.public_dev)
    console.print(f"written to {options.out}; {effect}")


if __name__ == "__main__":
    main()
