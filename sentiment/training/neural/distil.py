"""A network of fewer layers that learns what the twelve say.

The student takes evenly spread layers of its teacher (Sanh et al. 2019) and is taught the teacher's
probabilities of all three heads and what those layers make of every token (Sun et al. 2019), on
public texts and on our own posts spoilt anew in every epoch; labels count beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.training.neural.encoder import Network, Output
from sentiment.training.neural.examples import Batch, Example
from sentiment.training.neural.fit import fit, fuse
from sentiment.training.neural.loss import Loss, labels_loss
from sentiment.training.neural.precision import mixed
from sentiment.training.neural.stage import Stage

#: What 120 steps left between a student of six layers and its teacher, on dev posts (divergence of
#: the levels, nats): .51 with a rate of 1e-4, .44 with 2.5e-4, .48 with 5e-4; at 1e-4 with the last
#: layer followed alone .54.
DISTIL: Final = Stage(name="student", epochs=3, rate=3e-4, head_rate=5e-4, tokens=2048)
SOFT: Final = 2.0  #: temperature at which probabilities are compared
STATES_WEIGHT: Final = 2.0  #: of each layer
LABELS_WEIGHT: Final = 0.3
HEADS: Final = (1.0, 1.0, 0.3)


def distilled(
    teacher: Network,
    layers: int,
    examples: Callable[[int], Sequence[Example]],
    folder: Path,
    *,
    epochs: int = DISTIL.epochs,
    watch: Callable[[Network], str] | None = None,
) -> Network:
    """A trained student; like every stage it goes on where it was cut off."""
    student = shortened(teacher, layers)
    fuse(teacher.eval())
    stage = replace(DISTIL, name=f"{DISTIL.name}{layers}", epochs=epochs, heads=HEADS)
    loss = teaching(teacher, kept(teacher, layers), stage)
    return fit(student, examples, stage, folder, loss=loss, watch=watch)


def kept(teacher: Network, layers: int) -> list[int]:
    """Which layers of the teacher a student of so many begins with: evenly spread, the last too."""
    every = len(teacher.stack) / layers
    return [round((number + 1) * every) - 1 for number in range(layers)]


def shortened(teacher: Network, layers: int) -> Network:
    """The teacher with only ``layers`` of its layers, the last one among them."""
    student = Network(replace(teacher.shape, layers=layers), teacher.dropout)
    weights = {name: tensor for name, tensor in teacher.state_dict().items()
               if not name.startswith("layers.")}  # fmt: skip
    for new, old in enumerate(kept(teacher, layers)):
        weights |= {f"layers.{new}.{name}": tensor
                    for name, tensor in teacher.stack[old].state_dict().items()}  # fmt: skip
    student.load_state_dict(weights)
    return student


def teaching(teacher: Network, followed: Sequence[int], stage: Stage) -> Loss:
    """What a student says otherwise than its teacher, and otherwise than the labels.

    ``followed`` names the teacher's layer for each of the student's.
    """
    labels = labels_loss(stage)

    def loss(output: Output, batch: Batch) -> Tensor:
        with torch.no_grad(), mixed(batch.ids.device):
            taught = teacher.to(batch.ids.device)(batch.ids, batch.mask)
        said = (
            HEADS[0] * _apart(output.sentiment, taught.sentiment)
            + HEADS[1] * _apart(output.severity, taught.severity)
            + HEADS[2] * functional.binary_cross_entropy_with_logits(
                output.category.float(), taught.category.float().sigmoid(), reduction="none"
            ).sum(dim=1).mean()
        )  # fmt: skip
        far = sum(
            _distance(ours, taught.states[theirs], batch.mask)
            for ours, theirs in zip(output.states, followed, strict=True)
        )
        return said + STATES_WEIGHT * far + LABELS_WEIGHT * labels(output, batch)

    return loss


def _distance(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Mean square of the difference of two states, (batch, length, hidden), over the tokens."""
    squares = (student.float() - teacher.float()).pow(2) * mask.unsqueeze(-1)
    return squares.sum() / (mask.sum() * student.shape[-1])


def _apart(student: Tensor, teacher: Tensor) -> Tensor:
    return SOFT**2 * functional.kl_div(
        (student.float() / SOFT).log_softmax(dim=-1),
        (teacher.float() / SOFT).log_softmax(dim=-1),
        reduction="batchmean",
        log_target=True,
    )
