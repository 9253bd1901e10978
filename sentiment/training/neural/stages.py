"""The stages of a training, each going on from what the one before has left in the folder."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from core.types import Sentiment
from sentiment.training.corpora import TRAINABLE, data_sets, evaluated_texts
from sentiment.training.neural.distil import DISTIL, distilled
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Example, token_ids
from sentiment.training.neural.fit import fit
from sentiment.training.neural.measure import own_line, public_line
from sentiment.training.neural.mixture import (
    NEAR,
    WIDE,
    Labelled,
    general_texts,
)
from sentiment.training.neural.own import calm_examples, own_examples
from sentiment.training.neural.provenance import claim, digest, posts_digest, texts_digest
from sentiment.training.neural.stage import Stage
from sentiment.training.neural.start import begin
from sentiment.training.posts import LabelledPost, read_posts

#: Nearly half of our own posts tell their event in four languages, and should get one level.
AGREEMENT: Final = 1.5
GENERAL: Final = Stage(name="general", epochs=1, rate=1.6e-4, head_rate=1e-3, heads=(1.0, 0.0, 0.0))
#: Categories weigh most, for they are learned slowest: the rare ones have few posts.
OWN: Final = Stage(name="own", epochs=4, rate=2e-4, head_rate=2e-3, fall=0.9,
                   heads=(1.0, 1.0, 1.2), agreement=AGREEMENT)  # fmt: skip
#: Public texts that an epoch of the own stage sees, so that the network keeps what it knows …
REPLAYED: Final = 16_000
#: … and one of the stage in which a student learns from its teacher.
TAUGHT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a training learns from and is watched on."""

    wide: list[Labelled]
    near: list[Labelled]
    public_dev: list[Labelled]
    posts: list[LabelledPost]
    posts_dev: list[LabelledPost]
    parallel: list[LabelledPost]  #: read by neither judge in training; watched by none
    wide_of: dict[str, str]  #: licence classes of the public sets, digest of ``wide``
    near_of: dict[str, str]  #: … of ``near``
    posts_of: dict[str, str]  #: digest of the posts

    def sets(self) -> dict[str, int]:
        """How many texts of each public set may be learned, by its name."""
        texts = {(text.data_set, text.text) for text in (*self.wide, *self.near)}
        return dict(sorted(Counter(name for name, _ in texts).items()))


def gather(data: Path, licences: Sequence[str]) -> Material:
    """Public sets of the given licence classes, and our own posts."""
    sets = [one for one in data_sets(data) if one.kind == "sentiment"]
    allowed = [one for one in sets if one.licence_class in {*licences} & {*TRAINABLE}]
    evaluated = evaluated_texts(data, sets)
    wide, public_dev = general_texts(data, allowed, WIDE, evaluated)
    near, _ = general_texts(data, allowed, NEAR, evaluated)
    posts = read_posts()
    split = {
        name: [post for post in posts if post.split == name]
        for name in ("train", "dev", "parallel")
    }
    return Material(
        wide=wide,
        near=near,
        public_dev=public_dev,
        posts=split["train"],
        posts_dev=split["dev"],
        parallel=split["parallel"],
        wide_of={"licences": ",".join(licences), "public": texts_digest(wide)},
        near_of={"licences": ",".join(licences), "public": texts_digest(near)},
        posts_of={"posts": posts_digest(split["train"])},
    )


def general(material: Material, folder: Path) -> tuple[Network, Tokenizer]:
    """Sentiment as the public sets have it."""
    network, tokenizer = begin(folder, material.wide, material.posts, made_of=material.wide_of)
    watched = _sentiment_examples(tokenizer, material.public_dev)
    claim(folder, GENERAL.name, material.wide_of | asdict(GENERAL))
    done = (folder / f"{GENERAL.name}.pt").exists()
    rows = [] if done else _sentiment_examples(tokenizer, material.wide)
    network = fit(network, lambda _: rows, GENERAL, folder,
                  watch=lambda n: public_line(n, material.public_dev, watched))  # fmt: skip
    return network, tokenizer


def own(
    network: Network,
    tokenizer: Tokenizer,
    material: Material,
    folder: Path,
    *,
    epochs: int = OWN.epochs,
) -> Network:
    """Severity, categories and plain-fact complaints, as our own posts have them.

    It goes on from the weights that ``general`` has left in the folder.
    """
    stage = replace(OWN, epochs=epochs)
    draws = {"replayed": REPLAYED, "start": digest(folder / f"{GENERAL.name}.pt")}
    claim(folder, stage.name, material.near_of | material.posts_of | draws | asdict(stage))
    epoch = _epochs(tokenizer, material, material.posts, REPLAYED)
    return fit(network, epoch, stage, folder, watch=watch(tokenizer, material))


def student(
    network: Network,
    tokenizer: Tokenizer,
    material: Material,
    folder: Path,
    *,
    layers: int,
    taught_by: Path,
    epochs: int = DISTIL.epochs,
    new: Sequence[LabelledPost] = (),
) -> Network:
    """Fewer layers that say what all of them say, on our posts and on ``new`` ones beside them.

    ``taught_by`` is the file of the network's weights: a student of others is refused.
    """
    known = {post.text for post in material.posts}
    posts = [*material.posts, *(post for post in new if post.text not in known)]
    epoch = _epochs(tokenizer, material, posts, TAUGHT)
    stage = replace(DISTIL, epochs=epochs)
    teacher = {"teacher": digest(taught_by), "replayed": TAUGHT}
    claim(folder, f"{stage.name}{layers}",
          material.near_of | material.posts_of | teacher | asdict(stage))  # fmt: skip
    return distilled(network, layers, epoch, folder, epochs=epochs,
                     watch=watch(tokenizer, material))  # fmt: skip


def dev_examples(tokenizer: Tokenizer, posts: Sequence[LabelledPost]) -> list[Example]:
    """Posts as they are, with nothing to learn."""
    return [Example(ids=ids) for ids in token_ids(tokenizer, [post.text for post in posts])]


def _epochs(
    tokenizer: Tokenizer, material: Material, posts: Sequence[LabelledPost], replayed: int
) -> Callable[[int], list[Example]]:
    """Our own posts, spoilt anew in every epoch, and a draw of the public texts."""
    public = calm_examples(material.near, tokenizer)

    def epoch(number: int) -> list[Example]:
        drawn = random.Random(number).sample(public, min(replayed, len(public)))
        return [*own_examples(posts, tokenizer, seed=number), *drawn]

    return epoch


def watch(tokenizer: Tokenizer, material: Material) -> Callable[[Network], str]:
    """What to print of a network after each epoch: figures on the dev posts and texts."""
    public = _sentiment_examples(tokenizer, material.public_dev)
    dev = dev_examples(tokenizer, material.posts_dev)

    def line(trained: Network) -> str:
        return (f"{own_line(trained, material.posts_dev, dev)} | "
                f"{public_line(trained, material.public_dev, public)}")  # fmt: skip

    return line


def _sentiment_examples(tokenizer: Tokenizer, texts: Sequence[Labelled]) -> list[Example]:
    return [
        Example(
            ids=ids,
            sentiment=tuple(float(text.label == i) for i in range(len(Sentiment))),
            weights=(text.weight, 0.0, 0.0),
        )
        for text, ids in zip(texts, token_ids(tokenizer, [t.text for t in texts]), strict=True)
    ]
