"""The trained network as an ONNX graph, in int8 for shipping or in float32 to compare with.

The graph is built by hand, node by node, of the operators that onnxruntime's CPU build has for
encoders (domain ``com.microsoft``), so it needs no tracing, and nothing in it is there by chance.
Weights are int8 with a scale for each output column, word vectors int8 with a scale for each
row. Of activations each token has a scale of its own: one for all would leave hardly a bit to most
tokens where a few have far larger numbers, and would let a text's neighbours in a batch change it.
The texts of a batch have one length, so the graph knows no mask.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sentiment.training.neural.encoder import Head, Layer, Network

MICROSOFT: Final = "com.microsoft"

Floats = npt.NDArray[np.float32]


def export(network: Network, path: Path, *, length: int, int8: bool = True) -> None:
    """Write the network to ``path``.

    Input ``input_ids``, int64 (batch, length), without padding; outputs the logits ``sentiment``
    (batch, 3), ``severity`` (batch, 5), ``category`` (batch, 15), and ``look`` (batch, length),
    the share of each token in what the severity head sees. ``length`` is the most tokens that a
    text may have.
    """
    graph = _Graph(int8)
    x = _embedded(graph, network, length)
    for number, layer in enumerate(network.stack):
        x = _layer(graph, layer, x, f"l{number}")
    for name, head in _heads(network):
        _head(graph, head, x, name)
    onnx.save(graph.model(network), str(path))


def _heads(network: Network) -> list[tuple[str, Head]]:
    return [
        ("sentiment", network.sentiment),
        ("severity", network.severity),
        ("category", network.category),
    ]


class _Graph:
    """Nodes and weights as they are added."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: npt.ArrayLike | np.generic) -> str:
        """A weight of that name; adding it again changes nothing."""
        self.weights.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(
        self,
        kind: str,
        inputs: list[str],
        *,
        name: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """A node with one output, whose name is returned."""
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def linear(self, x: str, weight: Floats, bias: Floats, name: str) -> str:
        """``x @ weight.T + bias``; ``weight`` (outputs, inputs).

        In int8 each token is divided by its largest number first, and the product multiplied by
        it, so that one constant scale serves all tokens.
        """
        if not self.int8:
            product = self.node("MatMul", [x, self.constant(f"{name}.weight", weight.T)])
            return self.node("Add", [product, self.constant(f"{name}.bias", bias)])
        largest = self.node("ReduceMax", [self.node("Abs", [x])], axes=[-1], keepdims=1)
        largest = self.node("Max", [largest, self.constant("least", np.float32(1e-6))])
        step = self.constant("step", np.float32(1 / 127))
        zero = self.constant("zero", np.uint8(128))
        numbers, scale = quantised(weight)
        product = self.node(
            "MatMulIntegerToFloat",
            [
                self.node("QuantizeLinear", [self.node("Div", [x, largest]), step, zero]),
                self.constant(f"{name}.weight", numbers.T),
                step,
                self.constant(f"{name}.scale", scale),
                zero,
            ],
            domain=MICROSOFT,
        )
        product = self.node("Mul", [product, largest])
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)])

    def model(self, network: Network) -> onnx.ModelProto:
        """The checked model."""
        both = ["batch", "length"]
        graph = helper.make_graph(
            self.nodes,
            "judge",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, both)],
            [
                *(helper.make_tensor_value_info(
                    name, TensorProto.FLOAT, ["batch", head.out.out_features])
                  for name, head in _heads(network)),
                helper.make_tensor_value_info("look", TensorProto.FLOAT, both),
            ],
            list(self.weights.values()),
        )  # fmt: skip
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)],
            producer_name="goodname",
        )
        model.ir_version = 9
        return model


def quantised(weight: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rows as int8 and the scale of each: ``row = numbers * scale``, symmetric about 0."""
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-8).astype(np.float32) / 127
    return np.rint(weight / scale[:, None]).astype(np.int8), scale


def _array(tensor: Tensor) -> Floats:
    return tensor.detach().float().cpu().numpy()  # type: ignore[no-any-return]


def _embedded(graph: _Graph, network: Network, length: int) -> str:
    words = _array(network.word.weight)
    if graph.int8:
        numbers, scale = quantised(words)
        rows = graph.node("Gather", [graph.constant("words", numbers), "input_ids"])
        rows = graph.node("Cast", [rows], to=TensorProto.FLOAT)
        scales = graph.node("Gather", [graph.constant("words.scale", scale[:, None]), "input_ids"])
        rows = graph.node("Mul", [rows, scales])
    else:
        rows = graph.node("Gather", [graph.constant("words", words), "input_ids"])
    places = graph.constant("positions", _array(network.position.weight)[:length])
    shape = graph.node("Shape", ["input_ids"], start=1, end=2)
    places = graph.node(
        "Slice", [places, graph.constant("from", np.array([0])), shape,
                  graph.constant("axis", np.array([0]))]
    )  # fmt: skip
    return _normal(graph, graph.node("Add", [rows, places]), network.embedding_norm, "norm")


def _layer(graph: _Graph, layer: Layer, x: str, name: str) -> str:
    qkv = graph.linear(x, _array(layer.qkv.weight), _array(layer.qkv.bias), f"{name}.qkv")
    parts = [f"{name}.q", f"{name}.k", f"{name}.v"]
    thirds = graph.constant("thirds", np.array([layer.out.in_features] * 3))
    graph.nodes.append(helper.make_node("Split", [qkv, thirds], parts, axis=2))
    seen = graph.node("MultiHeadAttention", parts, domain=MICROSOFT, num_heads=layer.heads)
    seen = graph.linear(seen, _array(layer.out.weight), _array(layer.out.bias), f"{name}.out")
    x = _added(graph, seen, x, layer.attention_norm, f"{name}.attention_norm")
    y = graph.linear(x, _array(layer.up.weight), _array(layer.up.bias), f"{name}.up")
    y = graph.node("Gelu", [y], domain=MICROSOFT)
    y = graph.linear(y, _array(layer.down.weight), _array(layer.down.bias), f"{name}.down")
    return _added(graph, y, x, layer.norm, f"{name}.norm")


def _added(graph: _Graph, x: str, skip: str, norm: nn.LayerNorm, name: str) -> str:
    # Two operators, for the fused one (SkipLayerNormalization) is a plain loop on CPUs.
    return _normal(graph, graph.node("Add", [x, skip]), norm, name)


def _normal(graph: _Graph, x: str, norm: nn.LayerNorm, name: str) -> str:
    weight = graph.constant(f"{name}.weight", _array(norm.weight))
    bias = graph.constant(f"{name}.bias", _array(norm.bias))
    return graph.node("LayerNormalization", [x, weight, bias], axis=-1, epsilon=norm.eps)


def _head(graph: _Graph, head: Head, x: str, name: str) -> None:
    look = graph.node("MatMul", [x, graph.constant(f"{name}.look", _array(head.look.weight).T)])
    look = graph.node("Squeeze", [look, graph.constant("last", np.array([-1]))])
    # The bias of the look shifts all tokens alike, and the softmax takes that out again.
    look = graph.node("Softmax", [look], axis=-1)
    if name == "severity":
        graph.node("Identity", [look], name="look")
    row = graph.node("Unsqueeze", [look, graph.constant("row", np.array([1]))])
    mean = graph.node("MatMul", [row, x])
    mean = graph.node("Squeeze", [mean, graph.constant("row", np.array([1]))])
    graph.node(
        "Gemm",
        [mean, graph.constant(f"{name}.weight", _array(head.out.weight)),
         graph.constant(f"{name}.bias", _array(head.out.bias))],
        name=name, transB=1,
    )  # fmt: skip
