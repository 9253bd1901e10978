"""The network: a BERT encoder and three heads, each with its own look at the tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment.training.neural.weights import Encoder

SENTIMENTS = 3
LEVELS = 5
CATEGORIES = 15
_NEVER = -1e4  #: added to the weight of what is no token


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network is built from; stored with its weights."""

    vocabulary: int
    layers: int = 12
    hidden: int = 384
    heads: int = 12
    feed_forward: int = 1536
    positions: int = 512
    epsilon: float = 1e-12

    def as_dict(self) -> dict[str, float]:
        """Plain numbers, for a file."""
        return asdict(self)


class Output(NamedTuple):
    """Logits of each head, and what every layer made of the tokens."""

    sentiment: Tensor  #: (batch, 3)
    severity: Tensor  #: (batch, 5)
    category: Tensor  #: (batch, 15)
    states: tuple[Tensor, ...]  #: (batch, length, hidden) after each layer, the lowest first


class Layer(nn.Module):
    """One post-norm transformer layer, as BERT has it."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        hidden = shape.hidden
        self.heads, self.dropout = shape.heads, dropout
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=shape.epsilon)
        self.up = nn.Linear(hidden, shape.feed_forward)
        self.down = nn.Linear(shape.feed_forward, hidden)
        self.norm = nn.LayerNorm(hidden, eps=shape.epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``x`` (batch, length, hidden); ``mask`` (batch, 1, 1, length), added to the weights."""
        batch, length, hidden = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Written out: on a CPU the fused kernel's backward pass took half of a training step.
        weights = (q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5) + mask).softmax(dim=-1)
        seen = weights.to(v.dtype) @ v
        seen = self.out(seen.transpose(1, 2).reshape(batch, length, hidden))
        x = self.attention_norm(x + self._drop(seen))
        return self.norm(x + self._drop(self.down(functional.gelu(self.up(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        """Dropout with one mask for all tokens of a text.

        A mask for every token, and dropout within the attention, took half of the time on a CPU.
        """
        if not self.training or not self.dropout:
            return x
        shared = torch.full((x.shape[0], 1, x.shape[2]), 1 - self.dropout, device=x.device)
        return x * (torch.bernoulli(shared) / (1 - self.dropout)).to(x.dtype)


class Head(nn.Module):
    """A linear head over a weighted mean of the tokens; it starts as the plain mean."""

    def __init__(self, hidden: int, outputs: int) -> None:
        super().__init__()
        self.look = nn.Linear(hidden, 1)
        self.out = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.look.weight)
        nn.init.zeros_(self.look.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``mask`` (batch, length), true where a token is."""
        weights = self.look(x).squeeze(-1).float().masked_fill(~mask, _NEVER).softmax(dim=-1)
        return self.out((weights.unsqueeze(-1) * x).sum(dim=1))


class Network(nn.Module):
    """Token ids in, logits of three heads out."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.word = nn.Embedding(shape.vocabulary, shape.hidden)
        self.position = nn.Embedding(shape.positions, shape.hidden)
        self.embedding_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.sentiment = Head(shape.hidden, SENTIMENTS)
        self.severity = Head(shape.hidden, LEVELS)
        self.category = Head(shape.hidden, CATEGORIES)

    @property
    def stack(self) -> list[Layer]:
        """The layers, lowest first."""
        return cast("list[Layer]", list(self.layers))

    def forward(self, ids: Tensor, mask: Tensor) -> Output:
        """``ids`` and ``mask`` (batch, length); the mask is true where a token is."""
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.embedding_norm(self.word(ids) + self.position(places))
        added = torch.zeros(mask.shape, dtype=x.dtype, device=x.device)
        added = added.masked_fill(~mask, _NEVER)[:, None, None, :]
        states: list[Tensor] = []
        for layer in self.layers:
            x = layer(x, added)
            states.append(x)
        return Output(
            self.sentiment(x, mask), self.severity(x, mask), self.category(x, mask), tuple(states)
        )


def from_published(encoder: Encoder, kept: list[int]) -> Network:
    """The published encoder with only the pieces ``kept`` (their ids, in the new order)."""
    network = Network(Shape(vocabulary=len(kept)))
    tensors = {name: torch.tensor(array) for name, array in encoder.tensors.items()}
    hidden = encoder.hidden
    with torch.no_grad():
        words = tensors["emb.word"].view(-1, hidden)
        network.word.weight.copy_(words[torch.tensor(kept)])
        # Texts have one segment here, so the segment's vector joins the positions'.
        network.position.weight.copy_(
            tensors["emb.pos"].view(-1, hidden) + tensors["emb.type"].view(-1, hidden)[0]
        )
        _copy(network.embedding_norm, tensors["emb.ln.w"], tensors["emb.ln.b"])
        for number, layer in enumerate(network.stack):
            of = {name.split(".", 1)[1]: tensor for name, tensor in tensors.items()
                  if name.startswith(f"l{number}.")}  # fmt: skip
            _copy(layer.qkv, torch.cat([of["q.w"], of["k.w"], of["v.w"]]),
                  torch.cat([of["q.b"], of["k.b"], of["v.b"]]))  # fmt: skip
            _copy(layer.out, of["ao.w"], of["ao.b"])
            _copy(layer.attention_norm, of["aln.w"], of["aln.b"])
            _copy(layer.up, of["fi.w"], of["fi.b"])
            _copy(layer.down, of["fo.w"], of["fo.b"])
            _copy(layer.norm, of["oln.w"], of["oln.b"])
    return network


def _copy(module: nn.Linear | nn.LayerNorm, weight: Tensor, bias: Tensor) -> None:
    module.weight.copy_(weight.view_as(module.weight))
    module.bias.copy_(bias)
