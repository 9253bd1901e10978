"""Which stages a training takes, one after the other, and what the model then says it came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, NETWORK, load_model
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.distil import DISTIL
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.finished import read_finished
from sentiment.training.neural.further import FURTHER, Lesson, further
from sentiment.training.neural.stages import (
    OWN,
    Material,
    general,
    own,
    student,
)
from sentiment.training.posts import FILES


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A network at the end of its course."""

    network: Network
    tokenizer: Tokenizer
    origin: dict[str, Any]  #: for ``judge.json``


def take(
    material: Material,
    folder: Path,
    *,
    licences: Sequence[str],
    layers: int,
    epochs: int | None = None,
    lesson: Lesson | None = None,
) -> Learned:
    """The course from nothing, or the ``lesson`` of a finished model.

    ``epochs`` are of our posts, or of the lesson.

    Where ``layers`` are fewer than the network then has, a student of so many follows.
    """
    origin: dict[str, Any] = {"posts": _files()}
    if lesson is not None:
        network, tokenizer = further(lesson, material, folder, epochs=epochs)
        last = FURTHER
        origin |= lesson.origin(licences, epochs or FURTHER.epochs)
    else:
        network, tokenizer = general(material, folder)
        network = own(network, tokenizer, material, folder, epochs=epochs or OWN.epochs)
        last = OWN
        origin |= {"licences": list(licences), "epochs": epochs or OWN.epochs,
                   "public": material.sets()}  # fmt: skip
    if layers < len(network.stack):
        network = student(
            network, tokenizer, material, folder, layers=layers,
            taught_by=folder / f"{last.name}.pt", new=lesson.posts if lesson else (),
        )  # fmt: skip
        origin |= {"student": {"epochs": DISTIL.epochs}}
    return Learned(network=network, tokenizer=tokenizer, origin=origin)


def shorten(
    start: Path,
    material: Material,
    folder: Path,
    *,
    licences: Sequence[str],
    layers: int,
    epochs: int = DISTIL.epochs,
) -> Learned:
    """A student of so many layers of the finished model in ``start``.

    ``GoodnameError`` where the folder holds no model, or one that has no more layers than that.
    """
    teacher, tokenizer = read_finished(start)
    if layers >= len(teacher.stack):
        raise GoodnameError(f"--start: {start} has {len(teacher.stack)} layers already")
    network = student(teacher, tokenizer, material, folder, layers=layers,
                      taught_by=start / NETWORK, epochs=epochs)  # fmt: skip
    before = json.loads((start / ABOUT).read_text(encoding="utf-8")).get("training", {})
    earlier = before.get("licences", TRAINABLE)
    origin = {key: before[key] for key in ("epochs", "after", "public") if key in before} | {
        "licences": sorted({*earlier, *licences}),
        "posts": _files(),
        "student": {"epochs": epochs, "teacher": NeuralJudge(load_model(start)).name},
    }
    return Learned(network=network, tokenizer=tokenizer, origin=origin)


def _files() -> list[str]:
    return [path.stem for path in FILES]
