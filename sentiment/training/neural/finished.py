"""A finished model read back from its files, so that training can go on where it ended.

The graph is the one that ``export`` writes. What it left out is not needed again: the position
vectors beyond the longest text, and the bias of each head's look, which changes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

from core.errors import GoodnameError
from sentiment.neural.model import ABOUT, NETWORK, TOKENIZER
from sentiment.training.corpora import TRAINABLE
from sentiment.training.neural.encoder import Network, Shape
from sentiment.training.neural.export import Floats

#: Modules of a layer that are matrices; the others scale and shift.
_LINEAR: Final = ("qkv", "out", "up", "down")
_NORMS: Final = ("attention_norm", "norm")
_HEADS: Final = ("sentiment", "severity", "category")

Weights = dict[str, np.ndarray]


def licences_of(folder: Path) -> tuple[str, ...]:
    """Classes of the public sets that a finished model may have learned; all where it is silent.

    ``GoodnameError`` where the folder holds no model.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise GoodnameError(f"cannot read the neural judge in {folder}: {why}") from error
    return tuple(about.get("training", {}).get("licences", TRAINABLE))


def read_finished(folder: Path) -> tuple[Network, Tokenizer]:
    """The network in float32 and its tokenizer; ``GoodnameError`` when the files are others."""
    try:
        model = onnx.load(str(folder / NETWORK))
        weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        network = Network(_shape(model.graph, weights))
        network.load_state_dict(_state(network, weights))
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        pieces, rows = tokenizer.get_vocab_size(), network.shape.vocabulary
        if pieces != rows:
            raise ValueError(f"a tokenizer of {pieces} pieces, a network of {rows}")
    # onnx and tokenizers raise bare Exceptions for files that they cannot read.
    except Exception as error:
        what = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise GoodnameError(
            f"{folder} holds no model to go on from: {what}; "
            "name a folder that python -m sentiment.training.neural has written"
        ) from error
    return network, tokenizer


def _shape(graph: onnx.GraphProto, weights: Weights) -> Shape:
    attributes = {a.name: a for node in graph.node for a in node.attribute}
    vocabulary, hidden = weights["words"].shape
    return Shape(
        vocabulary=vocabulary,
        layers=sum(name.endswith(".qkv.bias") for name in weights),
        hidden=hidden,
        heads=attributes["num_heads"].i,
        feed_forward=len(weights["l0.up.bias"]),
        positions=len(weights["positions"]),
        epsilon=attributes["epsilon"].f,
    )


def _state(network: Network, weights: Weights) -> dict[str, torch.Tensor]:
    """Tensors by the names of the network; ``KeyError`` where the graph lacks one."""
    state: Weights = {
        "word.weight": _rows(weights, "words", weights["words"]),
        "position.weight": weights["positions"],
        "embedding_norm.weight": weights["norm.weight"],
        "embedding_norm.bias": weights["norm.bias"],
    }
    for number in range(len(network.stack)):
        here, there = f"layers.{number}", f"l{number}"
        for name in _LINEAR:
            turned = np.ascontiguousarray(weights[f"{there}.{name}.weight"].T)
            state[f"{here}.{name}.weight"] = _rows(weights, f"{there}.{name}", turned)
            state[f"{here}.{name}.bias"] = weights[f"{there}.{name}.bias"]
        for name in _NORMS:
            for part in ("weight", "bias"):
                state[f"{here}.{name}.{part}"] = weights[f"{there}.{name}.{part}"]
    for name in _HEADS:
        state[f"{name}.look.weight"] = weights[f"{name}.look"].T
        state[f"{name}.look.bias"] = np.zeros(1)
        state[f"{name}.out.weight"] = weights[f"{name}.weight"]
        state[f"{name}.out.bias"] = weights[f"{name}.bias"]
    return {name: torch.tensor(array, dtype=torch.float32) for name, array in state.items()}


def _rows(weights: Weights, name: str, numbers: np.ndarray) -> Floats:
    """Rows as numbers; those of int8 have a scale each."""
    scale = weights.get(f"{name}.scale")
    return numbers if scale is None else numbers * scale.reshape(-1, 1)
