"""When the linear judge may settle a text that the written model then never reads.

``python -m sentiment.training.neural.first_stage FOLDER --data DATA`` chooses it again for a
finished model, as after a new training of the linear judge.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import GoodnameError
from core.types import Sentiment
from sentiment.linear import model as linear_model
from sentiment.linear.judge import LinearJudge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, load_model
from sentiment.training.cascade import Effect, choose
from sentiment.training.neural.finished import licences_of
from sentiment.training.neural.mixture import Labelled
from sentiment.training.neural.publish import write_judge
from sentiment.training.posts import LabelledPost


def add_first_stage(
    folder: Path, posts: Sequence[LabelledPost], public: Sequence[Labelled]
) -> Effect:
    """Choose the thresholds on texts that neither judge learned; ``judge.json`` keeps them."""
    texts = [*(post.text for post in posts), *(text.text for text in public)]
    truth = [*(post.sentiment for post in posts), *(list(Sentiment)[t.label] for t in public)]
    quick = LinearJudge(linear_model.load_model(linear_model.SHIPPED))
    thorough = NeuralJudge(load_model(folder), batch_size=8).grades_only()
    thresholds, effect = choose(quick(texts), thorough(texts), truth)
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    about["cascade"] = thresholds
    write_judge(folder / ABOUT, about)
    return effect


def main() -> None:
    """Choose the thresholds of a finished model again."""
    from sentiment.training.neural.stages import gather

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a model that training wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    options = parser.parse_args()
    try:
        load_model(options.folder)
        material = gather(options.data, licences_of(options.folder))
        print(add_first_stage(options.folder, material.parallel, material.public_dev))
    except (GoodnameError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
