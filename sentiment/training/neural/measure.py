"""Running a network over many texts, and what to print of it while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.types import Category, Sentiment, Severity
from sentiment.evaluate.metrics import macro_f1
from sentiment.training.neural.calibrate import Ints, Logits, Truth
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Example, collate
from sentiment.training.neural.mixture import Labelled, is_topical
from sentiment.training.neural.precision import mixed
from sentiment.training.posts import LabelledPost


def run(network: Network, examples: Sequence[Example], *, rows: int = 64) -> Logits:
    """Logits of all examples, in their order; on the device where the network is."""
    device = network.word.weight.device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    sizes = (len(Sentiment), len(Severity), len(Category))
    found = [np.zeros((len(examples), size)) for size in sizes]
    with torch.inference_mode():
        for start in range(0, len(order), rows):
            part = order[start : start + rows]
            batch = collate([examples[i] for i in part]).to(device)
            with mixed(device):
                output = network(batch.ids, batch.mask)
            for array, logits in zip(found, output[: len(found)], strict=True):
                array[part] = logits.float().cpu().numpy()
    return Logits(*found)


def truth_of(posts: Sequence[LabelledPost]) -> Truth:
    """Labels of posts in the order of the heads."""
    return Truth(
        np.array([list(Sentiment).index(post.sentiment) for post in posts]),
        np.array([int(post.severity) for post in posts]),
        np.array([[float(c in post.categories) for c in Category] for post in posts]),
    )


def public_line(network: Network, texts: Sequence[Labelled], examples: Sequence[Example]) -> str:
    """Macro-F1 of sentiment for each public set but the topical ones."""
    told = run(network, examples).sentiment.argmax(axis=1)
    label = np.array([text.label for text in texts])
    sets = np.array([text.data_set for text in texts])
    shown = sorted({text.data_set for text in texts if not is_topical(text.data_set)})
    return " ".join(f"{name} {_macro(label[sets == name], told[sets == name]):.3f}"
                    for name in shown)  # fmt: skip


def own_line(network: Network, posts: Sequence[LabelledPost], examples: Sequence[Example]) -> str:
    """Macro-F1 of severity and sentiment on our own posts, and what was found of the rest."""
    logits, truth = run(network, examples), truth_of(posts)
    level = logits.severity.argmax(axis=1)
    critical = truth.severity == int(Severity.CRITICAL)
    found = logits.category > 0
    categories = 2 * (found * truth.category).sum() / max(found.sum() + truth.category.sum(), 1)
    return (
        f"severity {_macro(truth.severity, level):.3f} "
        f"critical {np.mean(level[critical] == int(Severity.CRITICAL)):.3f} "
        f"sentiment {_macro(truth.sentiment, logits.sentiment.argmax(axis=1)):.3f} "
        f"categories {categories:.3f}"
    )


def _macro(truth: Ints, told: Ints) -> float:
    return macro_f1(truth.tolist(), told.tolist(), range(len(Severity)))
