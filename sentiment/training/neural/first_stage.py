"""When the linear judge may settle a text that the written model then never reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.types import Sentiment
from sentiment.linear import model as linear_model
from sentiment.linear.judge import LinearJudge
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, load_model
from sentiment.training.cascade import Effect, choose
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
