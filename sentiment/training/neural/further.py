"""Going on from a finished model with posts that it has not seen.

A network that learns new texts alone forgets the others, so each epoch rehearses a part of our own
posts and of the public texts beside them (Robins 1995), and at the end the weights go a part of the
way back to where they began (Wortsman et al. 2022).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, NETWORK, TOKENIZER, load_model
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Example
from sentiment.training.neural.finished import read_finished
from sentiment.training.neural.fit import fit
from sentiment.training.neural.own import calm_examples, own_examples
from sentiment.training.neural.provenance import claim, digest
from sentiment.training.neural.stage import Stage
from sentiment.training.neural.stages import AGREEMENT, Material, watch
from sentiment.training.posts import LabelledPost, parse_posts

FURTHER: Final = Stage(name="further", epochs=5, rate=8e-5, head_rate=1e-3, fall=0.9,
                       heads=(1.0, 1.0, 1.2), agreement=AGREEMENT)  # fmt: skip
REHEARSED: Final = 4_000  #: of our other posts, an epoch
REPLAYED: Final = 4_000  #: of the public texts
#: How far the weights go to where the lesson ended. After a lesson of 6,396 posts, on 2,152 dev
#: posts: log loss of levels .463 at its end, .451 halfway, .448 here, .461 at the start; macro-F1
#: of sentiment .833, .837, .841 and .832.
SHARE: Final = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A finished model, and what it is to learn."""

    start: Path  #: folder of the model
    model: str  #: name of its judge
    before: dict[str, Any]  #: what it says of its own training
    posts: list[LabelledPost]  #: to learn
    left: int  #: posts of the file that are of another split than ``train``
    sha256: str  #: of the file

    def made_of(self) -> dict[str, str]:
        """Digests of all that the lesson is made of."""
        files = {name: digest(self.start / name) for name in (NETWORK, TOKENIZER)}
        return {"start": files[NETWORK], "start_tokenizer": files[TOKENIZER], "new": self.sha256}

    def origin(self, licences: Sequence[str], epochs: int) -> dict[str, Any]:
        """What a model that has learned the lesson comes from, for ``judge.json``."""
        earlier = self.before.get("licences", TRAINABLE)
        course = {
            key: self.before[key] for key in ("epochs", "student", "public") if key in self.before
        }
        learned = {"model": self.model, "new": self.sha256, "posts": len(self.posts),
                   "epochs": epochs, "share": SHARE}  # fmt: skip
        return course | {"licences": sorted({*earlier, *licences}),
                         "after": [*self.before.get("after", []), learned]}  # fmt: skip


def read_lesson(start: Path, new: Path) -> Lesson:
    """The lesson; ``GoodnameError`` says what is wrong with the folder or the file of posts."""
    try:
        body = new.read_bytes()
        posts = parse_posts(body, name=str(new))
    except (OSError, ValueError) as error:
        raise GoodnameError(f"--new: {error}") from error
    learned = [post for post in posts if post.split == "train"]
    if not learned:
        raise GoodnameError(f"--new: {new} has no post of the split train: nothing to learn from")
    model = NeuralJudge(load_model(start)).name
    return Lesson(
        start=start,
        model=model,
        before=json.loads((start / ABOUT).read_text(encoding="utf-8")).get("training", {}),
        posts=learned,
        left=len(posts) - len(learned),
        sha256=hashlib.sha256(body).hexdigest(),
    )


def further(
    lesson: Lesson, material: Material, folder: Path, *, epochs: int | None = None
) -> tuple[Network, Tokenizer]:
    """The model after its lesson."""
    stage = replace(FURTHER, epochs=epochs or FURTHER.epochs)
    network, tokenizer = read_finished(lesson.start)
    made_of = material.near_of | material.posts_of | lesson.made_of()
    draws = {"rehearsed": REHEARSED, "replayed": REPLAYED, "share": SHARE}
    claim(folder, stage.name, made_of | draws | asdict(stage))
    epoch = _epochs(tokenizer, material, lesson)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    network = fit(network, epoch, stage, folder, watch=watch(tokenizer, material)).cpu()
    after = network.state_dict()
    network.load_state_dict({name: before[name].lerp(after[name], SHARE) for name in before})
    return network, tokenizer


def _epochs(
    tokenizer: Tokenizer, material: Material, lesson: Lesson
) -> Callable[[int], list[Example]]:
    known = {post.text for post in lesson.posts}
    rounds = Rounds([post for post in material.posts if post.text not in known], lesson.sha256)
    public = calm_examples(material.near, tokenizer)

    def epoch(number: int) -> list[Example]:
        posts = [*lesson.posts, *rounds.part(number, REHEARSED)]
        drawn = random.Random(number).sample(public, min(REPLAYED, len(public)))
        return [*own_examples(posts, tokenizer, seed=number), *drawn]

    return epoch


class Rounds:
    """Posts in an order of chance, from which part after part is taken, round and round.

    The posts of one event stay together, for they are compared with each other.
    """

    def __init__(self, posts: Sequence[LabelledPost], seed: str) -> None:
        told: dict[str, list[LabelledPost]] = {}
        for post in posts:
            told.setdefault(post.scenario, []).append(post)
        events = list(told.values())
        random.Random(seed).shuffle(events)
        self._posts = [post for event in events for post in event]

    def part(self, number: int, size: int) -> list[LabelledPost]:
        """About ``size`` posts, the next ones for each number; never one twice."""
        count = len(self._posts)
        if count <= size:
            return list(self._posts)
        begin, end = self._event(number * size), self._event((number + 1) * size)
        return self._posts[begin:end] if begin < end else self._posts[begin:] + self._posts[:end]

    def _event(self, at: int) -> int:
        """The begin of the event of which the post at this place is, counted round and round."""
        at %= len(self._posts)
        while at and self._posts[at].scenario == self._posts[at - 1].scenario:
            at -= 1
        return at
