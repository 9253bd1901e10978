"""Train the linear judge: ``python -m sentiment.training.linear --data FOLDER``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from scipy import sparse

from core.errors import GoodnameError
from sentiment.linear.judge import LinearJudge
from sentiment.linear.model import HEADS, SHIPPED, Arrays, load_model, save_model
from sentiment.training.calibrate import COST, SILENT, Calibration, calibrate
from sentiment.training.card import about, figures_table, public_table, write_card
from sentiment.training.corpora import (
    TRAINABLE,
    DataSet,
    Row,
    data_sets,
    evaluated_texts,
    key,
    licences,
    read_rows,
    split_of,
)
from sentiment.training.examples import Examples, examples, target_of
from sentiment.training.general import BITS, fit_general, general_rows
from sentiment.training.heads import STEPS, fit
from sentiment.training.matrix import matrix
from sentiment.training.posts import LABELS, LabelledPost, read_posts

OWN_BITS = 17
STRENGTH = 0.1
GENERAL_PULL = 0.1  #: what the general sentiment counts beside the n-grams
FOLDS = 5
LEAST_WHOLE = 200  #: posts with all labels, to calibrate on
PER_GROUP = 25  #: public rows for each set, language and label among the heads' examples
HEAD_LANGUAGES = ("en", "pl", "hr", "sr", "lv")
COMPLAINTS = {"sev_en_complaints_twitter": 60, "cmp_en_cfpb": 75}

Floats = npt.NDArray[np.float64]


def train(
    folder: Path,
    posts: Sequence[LabelledPost],
    *,
    licences: Sequence[str] = TRAINABLE,
    cap: int = 2_500,
    progress: Progress,
) -> Arrays:
    """The whole training; the same input gives the same arrays."""
    sets = [s for s in data_sets(folder) if s.licence_class in {*licences} & {*TRAINABLE}]
    rows = _read(folder, sets, cap, progress)
    step = progress.add_task("sentiment of public sets", total=len(rows))
    weights, bias = fit_general(rows, lambda done: progress.advance(step, done))
    general, general_scale = quantise(weights)
    rows = [*_sample(rows), *_complaints(folder, sets)]
    return _heads(examples(posts, rows), posts, general, general_scale, bias, progress)


def quantise(weights: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Eight bits for each weight; the few beyond eight deviations of their column are cut."""
    used = np.where(weights == 0, np.nan, weights)
    spread = np.nan_to_num(np.nanstd(used, axis=0), nan=1.0)
    top = np.minimum(np.abs(weights).max(axis=0), 8 * spread)
    scale = np.maximum(top, 1e-12) / 127
    return np.clip(np.rint(weights / scale), -127, 127).astype(np.int8), scale


def _heads(
    rows: Examples,
    posts: Sequence[LabelledPost],
    general: npt.NDArray[np.int8],
    general_scale: Floats,
    bias: Floats,
    progress: Progress,
) -> Arrays:
    leaning = matrix(rows.texts, bits=BITS) @ (general * general_scale) + bias
    centre, spread = leaning.mean(axis=0), leaning.std(axis=0)
    leaning = (leaning - centre) / spread
    counts = matrix(rows.texts, bits=OWN_BITS)
    rarity = _rarity(counts)
    lean = np.sqrt(GENERAL_PULL) * leaning
    features = sparse.hstack(
        [counts @ sparse.diags_array(rarity), lean], format="csr", dtype=np.float32
    )
    step = progress.add_task("severity and categories", total=(FOLDS + 1) * STEPS)
    calibration = _unseen(features, rows, posts, lambda: progress.advance(step))
    fitted = fit(features, rows.targets, rows.weights, strength=STRENGTH,
                 advance=lambda: progress.advance(step))  # fmt: skip
    progress.update(step, completed=(FOLDS + 1) * STEPS)
    own, own_scale = quantise(rarity[:, None] * fitted.weights[: len(rarity)] @ calibration.blend)
    mix = np.sqrt(GENERAL_PULL) * fitted.weights[len(rarity) :] @ calibration.blend
    return Arrays(
        general=general,
        general_scale=general_scale / spread,
        general_bias=(bias - centre) / spread,
        own=own,
        own_scale=own_scale,
        mix=mix,
        bias=fitted.bias @ calibration.blend + calibration.shift,
        prior=SILENT,
        cost=COST,
        category_threshold=calibration.category_threshold,
    )


def _unseen(
    features: sparse.csr_matrix,
    rows: Examples,
    posts: Sequence[LabelledPost],
    advance: Callable[[], None],
) -> Calibration:
    """Calibrate on posts scored by a fit that knows neither them nor another telling of them."""
    folds = np.array([int(post.scenario, 16) % FOLDS for post in posts])
    owners = np.where(rows.owner < 0, -1, folds[np.maximum(rows.owner, 0)])
    logits = np.zeros((len(posts), HEADS))
    for fold in range(FOLDS):
        kept = owners != fold
        fitted = fit(features[kept], rows.targets[kept], rows.weights[kept], strength=STRENGTH,
                     advance=advance)  # fmt: skip
        logits[folds == fold] = fitted.logits(features[: len(posts)][folds == fold])
    # Of a correction, what no person gave is the judge's own word.
    whole = [at for at, post in enumerate(posts) if post.given == LABELS]
    if len(whole) < LEAST_WHOLE:
        raise GoodnameError(
            f"{len(whole)} posts have all labels from a person, and calibration needs "
            f"{LEAST_WHOLE}: name our own posts with --posts beside corrections"
        )
    targets = [target_of(posts[at].sentiment, posts[at].severity, posts[at].categories)
               for at in whole]  # fmt: skip
    return calibrate(logits[whole], np.array(targets))


def _rarity(counts: sparse.csr_matrix) -> Floats:
    """Rare n-grams weigh more; scaled so that a text's product with itself is about 1."""
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + counts.shape[0]) / (1 + seen))
    squares = counts.power(2) @ (rarity**2)
    return np.asarray(rarity / np.sqrt(squares.mean()))


def _read(folder: Path, sets: Sequence[DataSet], cap: int, progress: Progress) -> list[Row]:
    chosen = [s for s in sets if s.kind == "sentiment"]
    evaluated = evaluated_texts(folder, [s for s in data_sets(folder) if s.kind == "sentiment"])
    step = progress.add_task("reading", total=len(chosen))
    return general_rows(folder, chosen, evaluated, cap=cap, advance=lambda: progress.advance(step))


def _sample(rows: Sequence[Row]) -> list[Row]:
    """A little of every public set in the languages of our posts and their next relatives."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.lang in HEAD_LANGUAGES and len(row.text) > 25:
            groups.setdefault((row.data_set, row.lang, row.label), []).append(row)
    return [row for _, group in sorted(groups.items())
            for row in sorted(group, key=lambda r: key(r.text))[:PER_GROUP]]  # fmt: skip


def _complaints(folder: Path, sets: Sequence[DataSet]) -> list[Row]:
    rows: list[Row] = []
    for name in sorted({s.name for s in sets} & COMPLAINTS.keys()):
        groups: dict[str, list[Row]] = {}
        for row in split_of(read_rows(folder, name), "train"):
            if 60 < len(row.text) < 1_500:
                groups.setdefault("" if name.startswith("cmp") else row.label, []).append(row)
        for group in groups.values():
            rows += sorted(group, key=lambda r: key(r.text))[: COMPLAINTS[name]]
    return rows


def main() -> None:
    """Train, write the model and its card, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.json")
    parser.add_argument("--out", type=Path, default=SHIPPED.parent)
    parser.add_argument("--posts", type=Path, nargs="*", default=[], help="default: all of ours")
    parser.add_argument("--licences", type=licences, default=TRAINABLE, help="e.g. A,B")
    options = parser.parse_args()
    console = Console()
    posts = read_posts(*options.posts)
    learned = [post for post in posts if post.split in ("train", "dev")]
    try:
        with Progress(console=console) as progress:
            arrays = train(options.data, learned, licences=options.licences, progress=progress)
    except GoodnameError as error:
        sys.exit(f"error: {error}")
    half = options.out / "half"  # what stands there stays whole until all is written
    save_model(arrays, half / "model.npz")
    model = load_model(half / "model.npz")
    report = about(LinearJudge(model), model.digest, posts, options.data, options.licences)
    (half / "figures.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    write_card(report, half / "README.md")
    for written in half.iterdir():
        written.replace(options.out / written.name)
    half.rmdir()
    console.print(public_table(report), figures_table(report))


if __name__ == "__main__":
    main()
