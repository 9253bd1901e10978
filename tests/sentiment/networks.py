"""A small network in the format of the shipped one, with opinions that a test can foresee."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from core.types import Category, Sentiment, Severity

Floats = npt.NDArray[np.float32]

HIDDEN = 48
LETTERS = "abcdefghijklmnopqrstuvwxyząčęėįšųūžćđłńóśźżäöüßáéíěřABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Words and what they speak for: sentiment, level, category.
WORDS = {
    "fire": (0, 4, Category.SAFETY), "burned": (0, 4, Category.SAFETY),
    "hospital": (0, 4, Category.SAFETY), "stolen": (0, 3, Category.FRAUD),
    "lawyer": (0, 3, Category.LEGAL), "late": (0, 2, Category.DELIVERY),
    "broken": (0, 2, Category.PRODUCT), "paczka": (1, 0, None), "thank": (2, 0, None),
    "lovely": (2, 0, None), "the": (1, 0, None), "parcel": (1, 0, None), "was": (1, 0, None),
    "and": (1, 0, None), "my": (1, 0, None), "caught": (1, 0, None), "room": (1, 0, None),
}  # fmt: skip


def write_model(folder: Path, **changes: Any) -> Path:
    """The three files; ``changes`` replace keys of ``judge.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "judge.json").write_text(json.dumps(ABOUT | changes))
    onnx.save(_network(tokenizer), str(folder / "model.onnx"))
    return folder


ABOUT: dict[str, Any] = {
    "version": 2,
    "length": 256,
    "tail": 96,
    "sentiments": [sentiment.value for sentiment in Sentiment],
    "levels": [level.label for level in Severity],
    "categories": [category.value for category in Category],
    "sentiment_temperature": 1.0,
    "severity_blend": [[float(row == level) for level in range(5)] for row in range(8)],
    "severity_shift": [0.0] * 5,
    "category_platt": [[1.0, 0.0]] * len(Category),
    "critical": {"at_least": 0.3, "beside_none": 0.0},
    "category_threshold": [0.5] * len(Category),
    "cascade": {"low_at_most": 0.16, "medium_at_most": 0.05, "sentiment_at_least": 0.5},
}


def _tokenizer() -> Tokenizer:
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [("▁" + word, -5.0) for word in WORDS]
    # Pairs, so that a word of a language has more letters a piece than noise has.
    pairs = ["er", "en", "ie", "an", "st", "na", "in", "ch", "ra", "ta", "to", "ko", "is", "as"]
    pieces += [(pair, -6.0) for pair in pairs] + [(letter, -9.0) for letter in LETTERS]
    pieces += [(char, -9.0) for char in "0123456789!?.,:;'\"-/@😡👍"]
    tokenizer = Tokenizer(Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer


#: Each token has a scale of its own, as in the shipped network.
STEPS: tuple[tuple[str, list[str], str, dict[str, Any]], ...] = (
    ("Gather", ["words", "input_ids"], "x0", {}),
    ("Abs", ["x0"], "size", {}),
    ("ReduceMax", ["size"], "largest0", {"axes": [-1], "keepdims": 1}),
    ("Max", ["largest0", "least"], "largest", {}),
    ("Div", ["x0", "largest"], "share", {}),
    ("QuantizeLinear", ["share", "step", "zero"], "numbers", {}),
    ("MatMulIntegerToFloat", ["numbers", "layer", "step", "scale", "zero"], "product",
     {"domain": "com.microsoft"}),
    ("Mul", ["product", "largest"], "x", {}),
    ("MatMul", ["x", "look.weight"], "look0", {}),
    ("Squeeze", ["look0", "last"], "look1", {}),
    ("Softmax", ["look1"], "look", {"axis": -1}),
    ("Unsqueeze", ["look", "row"], "look3", {}),
    ("MatMul", ["look3", "x"], "mean0", {}),
    ("Squeeze", ["mean0", "row"], "mean", {}),
)  # fmt: skip


def _network(tokenizer: Tokenizer) -> onnx.ModelProto:
    """Word vectors, one int8 layer, and heads over a weighted mean of the tokens."""
    random = np.random.default_rng(5)
    nodes, weights = _layer(random, _vectors(random, tokenizer))
    for name, start, width in (("sentiment", 0, 3), ("severity", 3, 5), ("category", 8, 15)):
        take = np.zeros((HIDDEN, width), dtype=np.float32)
        take[np.arange(start, start + width), np.arange(width)] = 1
        bias = np.zeros(width, dtype=np.float32)
        bias[0 if name == "severity" else slice(0)] = 2
        if name == "category":
            bias -= 2
        weights |= {f"{name}.weight": take, f"{name}.bias": bias}
        nodes.append(helper.make_node("Gemm", ["mean", f"{name}.weight", f"{name}.bias"], [name]))
    return _model(nodes, weights)


def _vectors(random: np.random.Generator, tokenizer: Tokenizer) -> Floats:
    """Noise, and for the known words what they speak for."""
    words = random.normal(0, 0.05, (tokenizer.get_vocab_size(), HIDDEN)).astype(np.float32)
    for word, (sentiment, level, category) in WORDS.items():
        row = words[tokenizer.token_to_id("▁" + word)]
        row[sentiment] += 2
        row[3 + level] += 7 if level else 1
        row[23] += 6 if level else 0
        if category:
            row[8 + list(Category).index(category)] += 4
    return words


def _layer(
    random: np.random.Generator, words: Floats
) -> tuple[list[onnx.NodeProto], dict[str, Any]]:
    """From ids to ``look``, how far each token counts, and ``mean``, what they say together."""
    layer = np.eye(HIDDEN) + random.normal(0, 0.01, (HIDDEN, HIDDEN))
    scale = np.abs(layer).max(axis=0).astype(np.float32) / 127
    look = np.zeros((HIDDEN, 1), dtype=np.float32)
    look[23] = 1
    weights = {
        "words": words,
        "layer": np.rint(layer / scale).astype(np.int8),
        "scale": scale,
        "step": np.float32(1 / 127),
        "zero": np.uint8(128),
        "least": np.float32(1e-6),
        "look.weight": look,
        "last": np.array([-1]),
        "row": np.array([1]),
    }
    return [helper.make_node(kind, of, [to], **more) for kind, of, to, more in STEPS], weights


def _model(nodes: list[onnx.NodeProto], weights: dict[str, Any]) -> onnx.ModelProto:
    both = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "judge",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, both)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
         for name, shape in (("sentiment", ["batch", 3]), ("severity", ["batch", 5]),
                             ("category", ["batch", 15]), ("look", both))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)],
    )
    model.ir_version = 9
    return model
