"""The first stage: sentiment as the public sets have it, on many texts and many languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import SGDClassifier

from sentiment.training.corpora import (
    SENTIMENTS,
    DataSet,
    Row,
    balanced,
    read_rows,
    split_of,
    twin_key,
)
from sentiment.training.matrix import matrix

BITS = 18
SEED = 20
CAP = 2_500  #: rows for each language and label of a set
CAPS = {"polemo2_sentence": 4_500, "xed_projected": 700, "xed_en_fi": 2_000, "umsab": 700,
        "hu_husst": 1_200, "no_norec_sentence": 1_200, "de_sb10k": 1_000, "nusax": 500}  # fmt: skip
TOPICAL_CAP = 600  #: twitter15: one annotator a language, and the label follows the topic
TOPICAL_WEIGHT = 0.4


def general_rows(
    folder: Path,
    sets: Iterable[DataSet],
    evaluated: set[bytes],
    *,
    cap: int = CAP,
    advance: Callable[[], None],
) -> list[Row]:
    """The training sample of the sentiment sets, without the ``evaluated`` texts (twin keys)."""
    rows: list[Row] = []
    for data_set in sets:
        every = read_rows(folder, data_set.name)
        most = min(cap, TOPICAL_CAP if is_topical(data_set.name) else CAPS.get(data_set.name, CAP))
        rows += balanced(split_of(every, "train"), cap=most)
        advance()
    return [row for row in rows if twin_key(row.text) not in evaluated]


def is_topical(name: str) -> bool:
    """The twitter15 family, which is counted for less."""
    return name.startswith("twitter15")


def fit_general(
    rows: Sequence[Row], advance: Callable[[int], None]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Weights (slots x 3) and bias of one-against-rest logistic regressions."""
    features = matrix([row.text for row in rows], bits=BITS, advance=advance) * 4
    labels = np.array([SENTIMENTS.index(row.label) for row in rows])
    weights = np.array([TOPICAL_WEIGHT if is_topical(row.data_set) else 1.0 for row in rows])
    learner = SGDClassifier(
        loss="log_loss", alpha=1e-6, max_iter=5, tol=None, average=True, random_state=SEED
    )
    learner.fit(features, labels, sample_weight=weights)
    return np.asarray(learner.coef_.T * 4), np.asarray(learner.intercept_)
