"""The finished model's folder: the exported network, its tokenizer, and what its outputs mean.

``python -m sentiment.training.neural.publish FOLDER`` fits the last of a finished model again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from core.errors import GoodnameError
from core.types import Category, Sentiment, Severity
from sentiment.neural.about import VERSION
from sentiment.neural.encoder import Encoder
from sentiment.neural.model import ABOUT, NETWORK, TOKENIZER, open_network
from sentiment.training.neural.calibrate import Logits, calibrated
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import LENGTH, TAIL, token_ids
from sentiment.training.neural.export import export
from sentiment.training.neural.measure import truth_of
from sentiment.training.neural.provenance import posts_digest
from sentiment.training.posts import LabelledPost, read_posts

#: What of a ``judge.json`` says where the model comes from and when it may be spared its work.
_KEPT: Final = ("training", "cascade")
#: What the network was made for: fitted again, it must still be that.
_FIXED: Final = ("length", "tail", "sentiments", "levels", "categories")


def publish(
    network: Network,
    tokenizer: Tokenizer,
    dev: Sequence[LabelledPost],
    folder: Path,
    *,
    training: Mapping[str, Any],
    int8: bool = True,
) -> dict[str, Any]:
    """Write ``model.onnx``, ``tokenizer.json`` and ``judge.json``; the last is returned.

    ``training`` says in ``judge.json`` what the network learned from; that its weights are not
    rounded (``int8`` false) is noted there too. Its temperature, blend and thresholds are
    fitted on what the exported network says of the dev posts; ``fitted`` says which those were.
    An older model in the folder stays whole until all three are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: folder / f"{name}.half" for name in (NETWORK, TOKENIZER, ABOUT)}
    export(network.eval(), half[NETWORK], length=LENGTH, int8=int8)
    tokenizer.save(str(half[TOKENIZER]), pretty=False)
    judge = _meaning(half[NETWORK], tokenizer, dev)
    unrounded = {} if int8 else {"float32": True}
    judge["training"] = {"layers": len(network.stack), **training, **unrounded}
    write_judge(half[ABOUT], judge)
    for name, path in half.items():
        path.replace(folder / name)
    return judge


def fit_again(folder: Path, dev: Sequence[LabelledPost]) -> dict[str, Any]:
    """Fit ``judge.json`` of a finished model anew, also one of an older version; it is returned.

    The cascade's thresholds stay. ``GoodnameError`` where the folder holds no model, or one whose
    outputs mean something else; the folder then stays as it is.
    """
    try:
        before = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        fitted = _meaning(folder / NETWORK, tokenizer, dev)
    # onnxruntime and tokenizers raise bare Exceptions for files that they cannot read.
    except Exception as error:
        what = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise GoodnameError(f"{folder} holds no model to fit again: {what}") from error
    if other := [key for key in _FIXED if before.get(key) != fitted[key]]:
        raise GoodnameError(f"{folder / ABOUT} names another {', '.join(other)}: train it anew")
    judge = fitted | {key: before[key] for key in _KEPT if key in before}
    write_judge(folder / ABOUT, judge)
    return judge


def _meaning(network: Path, tokenizer: Tokenizer, dev: Sequence[LabelledPost]) -> dict[str, Any]:
    """What an exported network's outputs mean, by what it says of the dev posts."""
    said = Encoder(open_network(network.read_bytes()), threads=0, batch_size=8)(
        token_ids(tokenizer, [post.text for post in dev])
    )
    return {
        "version": VERSION,
        "length": LENGTH,
        "tail": TAIL,
        "sentiments": [str(sentiment) for sentiment in Sentiment],
        "levels": [level.label for level in Severity],
        "categories": [str(category) for category in Category],
        **calibrated(
            Logits(said.sentiment, said.severity, said.category),
            truth_of(dev),
            [post.scenario for post in dev],
        ),
        "fitted": {"posts": len(dev), "sha256": posts_digest(dev)},
    }


def write_judge(path: Path, judge: Mapping[str, Any]) -> None:
    """Write a ``judge.json``, whole or not at all; rows of numbers and names on a line each."""
    lines = json.dumps(judge, indent=1)
    lines = re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", lines)
    half = path.with_name(f"{path.name}.new")
    half.write_text(lines + "\n", encoding="utf-8")
    half.replace(path)


def main() -> None:
    """Fit a finished model again."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a model that training wrote")
    folder: Path = parser.parse_args().folder
    try:
        fit_again(folder, [post for post in read_posts() if post.split == "dev"])
    except GoodnameError as error:
        sys.exit(f"error: {error}")
    print(f"fitted again: {folder / ABOUT}")


if __name__ == "__main__":
    main()
