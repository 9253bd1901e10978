"""Which stages a training takes, one after the other, and what the model then says it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from sentiment.training.neural.encoder import Network
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
    origin: dict[str, Any] = {"posts": [path.stem for path in FILES]}
    if lesson is not None:
        network, tokenizer = further(lesson, material, folder, epochs=epochs)
        last = FURTHER
        origin |= lesson.origin(licences, epochs or FURTHER.epochs)
    else:
        network, tokenizer = general(material, folder)
        network = own(network, tokenizer, material, folder, epochs=epochs or OWN.epochs)
        last = OWN
        origin |= {"licences": list(licences), "epochs": epochs or OWN.epochs}
    if layers < len(network.stack):
        network = student(
            network, tokenizer, material, folder, layers=layers, taught_by=last.name,
            new=lesson.posts if lesson else (),
        )  # fmt: skip
    return Learned(network=network, tokenizer=tokenizer, origin=origin)
