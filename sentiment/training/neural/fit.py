"""One training stage: an optimiser, a schedule, checkpoints that a later start goes on from."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor, nn
from torch.nn import functional

from sentiment.training.neural.encoder import Network, Output
from sentiment.training.neural.examples import Batch, Example, batches

CHECKPOINT_SECONDS = 240.0


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


#: The loss of a batch from the network's output, a number for each text.
Loss = Callable[[Output, Batch], Tensor]


def fit(
    network: Network,
    examples: Callable[[int], Sequence[Example]],
    stage: Stage,
    folder: Path,
    *,
    loss: Loss | None = None,
    watch: Callable[[Network], str] | None = None,
    fused: bool = True,
) -> Network:
    """Train to the end of the stage; what another start has already done is not done again.

    ``examples`` gives those of an epoch, the same on every call. Writes ``<name>.pt`` (weights)
    when done, ``<name>.state.pt`` on the way, a line an epoch and a hundred steps to
    ``<name>.log``.
    """
    done = folder / f"{stage.name}.pt"
    if done.exists():
        network.load_state_dict(torch.load(done, weights_only=True))
        return network
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    if fused:
        fuse(network)
    steps = [
        sum(1 for _ in _groups(examples(epoch), stage, epoch)) for epoch in range(stage.epochs)
    ]
    optimiser = torch.optim.AdamW(parameters(network, stage), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _shape(sum(steps), stage.warm_up))
    state_file = folder / f"{stage.name}.state.pt"
    start = _resume(state_file, network, optimiser, schedule, device)
    step, saved, mean = 0, time.monotonic(), None
    with _progress() as progress, (folder / f"{stage.name}.log").open("a") as log:
        bar = progress.add_task(stage.name, total=sum(steps), completed=start, note="")
        for epoch in range(stage.epochs):
            if step + steps[epoch] <= start:
                step += steps[epoch]
                continue
            for batch in _groups(examples(epoch), stage, epoch):
                step += 1
                if step <= start:
                    continue
                torch.manual_seed(stage.seed * 1_000_003 + step)
                value = _step(network, batch.to(device), optimiser, loss or labels_loss(stage))
                schedule.step()
                mean = value if mean is None else 0.98 * mean + 0.02 * value
                progress.update(bar, advance=1, note=f"loss {mean:.3f}")
                if step % 100 == 0:
                    log.write(f"{time.strftime('%H:%M:%S')} step {step} loss {mean:.4f}\n")
                    log.flush()
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    _save(state_file, network, optimiser, schedule, step)
                    saved = time.monotonic()
            _save(state_file, network, optimiser, schedule, step)
            if watch is not None:
                network.eval()
                line = f"{time.strftime('%H:%M:%S')} epoch {epoch + 1}: {watch(network)}"
                network.train()
                log.write(line + "\n")
                log.flush()
                progress.console.print(line)
    network.eval()
    half = done.with_suffix(".half")
    torch.save(_plain(network), half)
    half.replace(done)
    state_file.unlink(missing_ok=True)
    return network


def fuse(network: Network) -> None:
    """Fuse a layer's small operations, where a compiler is: training is half as long with it."""
    if shutil.which("g++") or shutil.which("clang++"):
        for layer in network.stack:
            layer.compile(dynamic=True)


def _groups(examples: Sequence[Example], stage: Stage, epoch: int) -> Iterable[Batch]:
    return batches(examples, tokens=stage.tokens, seed=stage.seed + epoch)


def _step(network: Network, batch: Batch, optimiser: torch.optim.Optimizer, loss: Loss) -> float:
    with torch.autocast(batch.ids.device.type, torch.bfloat16):
        output = network(batch.ids, batch.mask)
    value = loss(output, batch)
    optimiser.zero_grad(set_to_none=True)
    value.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(value.detach())


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


def _shape(steps: int, warm_up: float) -> Callable[[int], float]:
    """Linear up, then down along a quarter of a cosine."""
    rising = max(1, int(steps * warm_up))

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        gone = min(1.0, (step - rising) / max(1, steps - rising))
        falling = max(0.0, math.cos(math.pi / 2 * gone))
        return max(0.02, float(falling**1.5))

    return share


def _plain(network: Network) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in network.state_dict().items()}


def _save(
    path: Path, network: Network, optimiser: torch.optim.Optimizer, schedule: Any, step: int
) -> None:
    half = path.with_suffix(".half")
    torch.save(
        {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "step": step,
        },
        half,
    )
    half.replace(path)


def _resume(
    path: Path, network: Network, optimiser: torch.optim.Optimizer, schedule: Any,
    device: torch.device,
) -> int:  # fmt: skip
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=device)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
    )  # fmt: skip
