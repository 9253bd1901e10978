"""How one stage of a training goes, and its optimiser."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from sentiment.training.neural.encoder import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """How one stage trains."""

    name: str
    epochs: int
    rate: float  #: of the encoder, at its highest
    head_rate: float
    tokens: int = 4096  #: of a batch, padding included
    warm_up: float = 0.06  #: share of the steps
    decay: float = 0.01
    seed: int = 20
    fall: float = 1.0  #: rate of a layer as a share of the one above it; low layers are general
    heads: tuple[float, float, float] = (1.0, 1.0, 1.0)  #: weight of each head's loss
    agreement: float = 0.0  #: weight of what texts of one event disagree about its level


def parameters(network: Network, stage: Stage) -> list[dict[str, Any]]:
    """One group for each rate and decay."""
    heads = [network.sentiment, network.severity, network.category]
    rates = {id(p): stage.head_rate for head in heads for p in head.parameters()}
    for depth, layer in enumerate(reversed(network.stack)):
        rates |= {id(p): stage.rate * stage.fall**depth for p in layer.parameters()}
    lowest = stage.rate * stage.fall ** len(network.stack)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        decay = 0.0 if parameter.ndim < 2 else stage.decay
        groups.setdefault((rates.get(id(parameter), lowest), decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def shape(steps: int, warm_up: float) -> Callable[[int], float]:
    """Linear up, then down along a quarter of a cosine."""
    rising = max(1, int(steps * warm_up))

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        gone = min(1.0, (step - rising) / max(1, steps - rising))
        falling = max(0.0, math.cos(math.pi / 2 * gone))
        return max(0.02, float(falling**1.5))

    return share
