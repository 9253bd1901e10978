"""What a stage makes small: what the heads get wrong, and where they contradict themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.training.neural.encoder import Output
from sentiment.training.neural.examples import ALONE, Batch
from sentiment.training.neural.stage import Stage

#: The loss of a batch from the network's output: one number.
Loss: TypeAlias = Callable[[Output, Batch], Tensor]


def stage_loss(stage: Stage) -> Loss:
    """Cross entropy with the labels, and disagreement about the level of one event."""
    labels = labels_loss(stage)

    def loss(output: Output, batch: Batch) -> Tensor:
        if not stage.agreement:
            return labels(output, batch)
        return labels(output, batch) + stage.agreement * disagreement(output.severity, batch.event)

    return loss


def labels_loss(stage: Stage) -> Loss:
    """Cross entropy of each head with the labels, where a row has them."""

    def loss(output: Output, batch: Batch) -> Tensor:
        rows = torch.stack([
            functional.cross_entropy(output.sentiment.float(), batch.sentiment, reduction="none"),
            functional.cross_entropy(output.severity.float(), batch.severity, reduction="none"),
            functional.binary_cross_entropy_with_logits(
                output.category.float(), batch.categories, reduction="none"
            ).sum(dim=1),
        ])  # fmt: skip
        heads = torch.tensor(stage.heads, device=rows.device).unsqueeze(1)
        return (rows * batch.weights * heads).sum() / len(batch.ids)

    return loss


def disagreement(logits: Tensor, event: Tensor) -> Tensor:
    """How differently texts of one event are judged: their Jensen-Shannon divergence, in nats.

    ``logits`` (batch, classes), ``event`` (batch,); the sum over the texts by the size of the
    batch. The same facts should get the same grade in every language (Lin 1991).
    """
    told = event != ALONE
    if not told.any():
        return logits.new_zeros((), dtype=torch.float32)
    p = logits[told].float().softmax(dim=-1)
    _, number, count = event[told].unique(return_inverse=True, return_counts=True)
    mean = p.new_zeros(len(count), p.shape[1]).index_add(0, number, p) / count.unsqueeze(1)
    return ((_entropy(mean) * count).sum() - _entropy(p).sum()) / len(event)


def _entropy(p: Tensor) -> Tensor:
    return -(p * p.clamp_min(1e-9).log()).sum(dim=-1)
