"""The stages of a training, each going on from what the one before has left in the folder."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from core.types import Sentiment
from sentiment.training.corpora import TRAINABLE, data_sets
from sentiment.training.neural.distil import distilled
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Example, token_ids
from sentiment.training.neural.fit import fit
from sentiment.training.neural.measure import own_line, public_line
from sentiment.training.neural.mixture import (
    NEAR,
    WIDE,
    Labelled,
    evaluated_texts,
    general_texts,
)
from sentiment.training.neural.own import calm_examples, own_examples
from sentiment.training.neural.provenance import claim, digest, posts_digest
from sentiment.training.neural.stage import Stage
from sentiment.training.neural.start import begin
from sentiment.training.posts import LATER, POSTS, LabelledPost, read_posts

#: A third of our own posts tell their event in four languages, and should get one level.
AGREEMENT: Final = 1.5
GENERAL: Final = Stage(name="general", epochs=1, rate=1e-4, head_rate=1e-3, heads=(1.0, 0.0, 0.0))
NEARER: Final = Stage(name="nearer", epochs=1, rate=8e-5, head_rate=4e-4, heads=(1.0, 0.0, 0.0))
OWN: Final = Stage(name="own", epochs=6, rate=1.6e-4, head_rate=2e-3, fall=0.9,
                   heads=(1.0, 1.0, 0.8), agreement=AGREEMENT)  # fmt: skip
#: A second, gentler rise, now with the later posts: categories are learned slowest, for the rare
#: ones have few posts.
OWN_AGAIN: Final = Stage(name="own-again", epochs=5, rate=1.1e-4, head_rate=2e-3, fall=0.9,
                         heads=(1.0, 1.0, 1.2), agreement=AGREEMENT)  # fmt: skip
#: In place of the three stages before, where there are hours and not a night: all posts at once.
OWN_SHORT: Final = replace(OWN, name="own-short", heads=(1.0, 1.0, 1.2))
#: Public texts that an epoch of the own stage sees, so that the network keeps what it knows.
REPLAYED: Final = 6_000
#: … and of the stage in which a student learns from its teacher.
RETOLD: Final = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a training learns from and is watched on."""

    wide: list[Labelled]
    near: list[Labelled]
    public_dev: list[Labelled]
    posts: list[LabelledPost]
    later: list[LabelledPost]  #: learned beside the posts, after them
    posts_dev: list[LabelledPost]
    parallel: list[LabelledPost]  #: read by neither judge in training; watched by none
    public_of: dict[str, str]  #: licence classes and index of the public sets
    posts_of: dict[str, str]  #: digest of the posts
    later_of: dict[str, str]  #: … of the later ones

    @property
    def ours(self) -> list[LabelledPost]:
        """All of our own posts to learn from."""
        return [*self.posts, *self.later]


def gather(data: Path, licences: Sequence[str]) -> Material:
    """Public sets of the given licence classes, and our own posts."""
    sets = [one for one in data_sets(data) if one.kind == "sentiment"]
    allowed = [one for one in sets if one.licence_class in {*licences} & {*TRAINABLE}]
    evaluated = evaluated_texts(data, sets)
    wide, public_dev = general_texts(data, allowed, WIDE, evaluated)
    near, _ = general_texts(data, allowed, NEAR, evaluated)
    posts = read_posts(POSTS)
    split = {
        name: [post for post in posts if post.split == name]
        for name in ("train", "dev", "parallel")
    }
    return Material(
        wide=wide,
        near=near,
        public_dev=public_dev,
        posts=split["train"],
        later=read_posts(*LATER),
        posts_dev=split["dev"],
        parallel=split["parallel"],
        public_of={"licences": ",".join(licences), "index": digest(data / "index.json")},
        posts_of={"posts": posts_digest(split["train"])},
        later_of={path.stem: digest(path) for path in LATER},
    )


def general(material: Material, folder: Path, *, short: bool = False) -> tuple[Network, Tokenizer]:
    """Sentiment as the public sets have it: of all of them, then of those near to customers.

    ``short`` leaves the second pass out.
    """
    network, tokenizer = begin(folder, material.wide, material.ours)
    watched = _sentiment_examples(tokenizer, material.public_dev)
    passes = [(GENERAL, material.wide)] + ([] if short else [(NEARER, material.near)])
    for stage, texts in passes:
        claim(folder, stage.name, material.public_of | asdict(stage))
        done = (folder / f"{stage.name}.pt").exists()
        rows = [] if done else _sentiment_examples(tokenizer, texts)
        fit(network, _always(rows), stage, folder,
            watch=lambda n: public_line(n, material.public_dev, watched))  # fmt: skip
    return network, tokenizer


def own(network: Network, tokenizer: Tokenizer, material: Material, folder: Path) -> Network:
    """Severity, categories and plain-fact complaints, as our own posts have them."""
    watched = watch(tokenizer, material)
    made_of = material.public_of | material.posts_of
    claim(folder, OWN.name, made_of | asdict(OWN))
    claim(folder, OWN_AGAIN.name, made_of | material.later_of | asdict(OWN_AGAIN))
    first = _epochs(tokenizer, material, material.posts, REPLAYED)
    network = fit(network, first, OWN, folder, watch=watched)
    more = _epochs(tokenizer, material, material.ours, REPLAYED)
    return fit(network, lambda n: more(n + OWN.epochs), OWN_AGAIN, folder, watch=watched)


def own_short(
    network: Network, tokenizer: Tokenizer, material: Material, folder: Path, *, epochs: int
) -> Network:
    """The same in one rise, of all our posts from the begin."""
    stage = replace(OWN_SHORT, epochs=epochs)
    claim(folder, stage.name,
          material.public_of | material.posts_of | material.later_of | asdict(stage))  # fmt: skip
    epoch = _epochs(tokenizer, material, material.ours, REPLAYED)
    return fit(network, epoch, stage, folder, watch=watch(tokenizer, material))


def student(
    network: Network,
    tokenizer: Tokenizer,
    material: Material,
    folder: Path,
    *,
    layers: int,
    taught_by: str,
    new: Sequence[LabelledPost] = (),
) -> Network:
    """Fewer layers that say what all of them say, on our posts and on ``new`` ones beside them.

    ``taught_by`` is the stage that made the network: a student of other weights is refused.
    """
    known = {post.text for post in material.ours}
    posts = [*material.ours, *(post for post in new if post.text not in known)]
    epoch = _epochs(tokenizer, material, posts, RETOLD)
    made_of = material.public_of | material.posts_of | material.later_of
    claim(folder, f"student{layers}", made_of | {"teacher": digest(folder / f"{taught_by}.pt")})
    return distilled(network, layers, epoch, folder, watch=watch(tokenizer, material))


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


def _always(examples: list[Example]) -> Callable[[int], list[Example]]:
    return lambda _: examples


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
