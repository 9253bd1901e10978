"""Going on from a finished model with posts that it has not seen.

A network that learns new texts alone forgets the others, so each epoch rehearses a draw of both our
own posts and the public texts beside them (Robins 1995).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, load_model
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Example
from sentiment.training.neural.finished import read_finished
from sentiment.training.neural.fit import fit
from sentiment.training.neural.own import calm_examples, own_examples
from sentiment.training.neural.provenance import claim
from sentiment.training.neural.stage import Stage
from sentiment.training.neural.stages import AGREEMENT, Material, watch
from sentiment.training.posts import LabelledPost

FURTHER: Final = Stage(name="further", epochs=5, rate=8e-5, head_rate=1e-3, fall=0.9,
                       heads=(1.0, 1.0, 1.2), agreement=AGREEMENT)  # fmt: skip
REHEARSED: Final = 4_000  #: of our other posts, an epoch
REPLAYED: Final = 2_000  #: of the public texts


def further(
    start: Path,
    new: Sequence[LabelledPost],
    material: Material,
    folder: Path,
    made_of: Mapping[str, str],
) -> tuple[Network, Tokenizer]:
    """The model in ``start`` after it has learned the posts ``new``, those of the split train.

    ``made_of`` names the model and the posts: another start in ``folder`` must be of the same.
    ``GoodnameError`` when none of the posts is to learn from.
    """
    learned = [post for post in new if post.split == "train"]
    if not learned:
        raise GoodnameError("none of the new posts has the split train: nothing to learn from")
    network, tokenizer = read_finished(start)
    claim(folder, FURTHER.name, material.public_of | {**made_of} | asdict(FURTHER))
    epoch = _epochs(tokenizer, material, learned)
    return fit(network, epoch, FURTHER, folder, watch=watch(tokenizer, material)), tokenizer


def origin(start: Path, licences: Sequence[str]) -> dict[str, Any]:
    """What a model that went on from ``start`` has learned from, for ``judge.json``."""
    before = json.loads((start / ABOUT).read_text(encoding="utf-8")).get("training", {})
    earlier = before.get("licences", TRAINABLE)
    name = NeuralJudge(load_model(start)).name
    return {"licences": sorted({*earlier, *licences}),
            "after": [*before.get("after", []), name]}  # fmt: skip


def _epochs(
    tokenizer: Tokenizer, material: Material, new: Sequence[LabelledPost]
) -> Callable[[int], list[Example]]:
    known = {post.text for post in new}
    others = [post for post in material.ours if post.text not in known]
    public = calm_examples(material.near, tokenizer)

    def epoch(number: int) -> list[Example]:
        chance = random.Random(number)
        posts = [*new, *rehearsed(others, REHEARSED, chance)]
        drawn = chance.sample(public, min(REPLAYED, len(public)))
        return [*own_examples(posts, tokenizer, seed=number), *drawn]

    return epoch


def rehearsed(
    posts: Sequence[LabelledPost], count: int, chance: random.Random
) -> list[LabelledPost]:
    """About so many posts: whole events, for the posts of one are compared with each other."""
    told: dict[str, list[LabelledPost]] = {}
    for post in posts:
        told.setdefault(post.scenario, []).append(post)
    events = list(told.values())
    chance.shuffle(events)
    drawn: list[LabelledPost] = []
    for event in events:
        if len(drawn) >= count:
            break
        drawn += event
    return drawn
