"""The finished model's folder: the exported network, its tokenizer, and what its outputs mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
from tokenizers import Tokenizer

from core.types import Category, Sentiment, Severity
from sentiment.neural.about import VERSION
from sentiment.neural.encoder import Encoder
from sentiment.neural.model import ABOUT, NETWORK, TOKENIZER
from sentiment.training.neural.calibrate import Logits, calibrated
from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import LENGTH, TAIL, token_ids
from sentiment.training.neural.export import export
from sentiment.training.neural.measure import truth_of
from sentiment.training.posts import LabelledPost


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

    ``training`` says in ``judge.json`` what the network learned from. Temperatures and thresholds
    are fitted on what the exported network says of the dev posts. An older model in the folder
    stays whole until all three are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: folder / f"{name}.half" for name in (NETWORK, TOKENIZER, ABOUT)}
    export(network.eval(), half[NETWORK], length=LENGTH, int8=int8)
    tokenizer.save(str(half[TOKENIZER]), pretty=False)
    session = ort.InferenceSession(str(half[NETWORK]), providers=["CPUExecutionProvider"])
    said = Encoder(session, threads=0, batch_size=8)(
        token_ids(tokenizer, [post.text for post in dev])
    )
    judge = {
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
        "training": {"layers": len(network.stack), **training},
    }
    half[ABOUT].write_text(json.dumps(judge, indent=1) + "\n", encoding="utf-8")
    for name, path in half.items():
        path.replace(folder / name)
    return judge
