"""From the settings to a judge that asks a checkpoint."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from core.errors import GoodnameError
from core.types import Sentiment
from sentiment.checkpoint.files import find, folder_of
from sentiment.checkpoint.labels import meanings
from sentiment.judge import Judge

NEEDED = ("torch", "transformers", "huggingface_hub")


def open_checkpoint(
    model: str,
    grader: Judge,
    *,
    labels: Mapping[str, Sentiment],
    revision: str = "",
    allow_pickled: bool = False,
    threads: int = 0,
    batch_size: int = 1,
) -> Judge:
    """The judge for a folder or a name on the hub; ``GoodnameError`` says what to do.

    ``grader`` is asked for all that a checkpoint for sentiment does not know.
    """
    _require(model)
    from sentiment.checkpoint.judge import CheckpointJudge
    from sentiment.checkpoint.model import load

    checkpoint = find(model, revision=revision, allow_pickled=allow_pickled)
    classifier = load(checkpoint, threads=threads, batch_size=batch_size)
    return CheckpointJudge(
        classifier,
        meanings(classifier.labels, given=labels, checkpoint=checkpoint.title),
        grader,
        title=checkpoint.title,
        digest=checkpoint.digest,
    )


def _require(model: str) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        here = "" if folder_of(model).is_dir() else f"there is no folder {model} in {Path.cwd()}; "
        raise GoodnameError(
            f"{here}[sentiment] model {model!r} needs {' and '.join(missing)}, not installed here: "
            "pip install 'goodname[torch]' (docs/checkpoints.md says how to get the small build of "
            "torch for machines without a GPU), or choose a judge that ships with Goodname"
        )
