"""One training stage, with checkpoints that a later start goes on from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

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

from sentiment.training.neural.encoder import Network
from sentiment.training.neural.examples import Batch, Example, batches
from sentiment.training.neural.loss import Loss, stage_loss
from sentiment.training.neural.precision import mixed
from sentiment.training.neural.stage import Stage, parameters, shape

CHECKPOINT_SECONDS: Final = 240.0
LOGGED_STEPS: Final = 100

#: The examples of an epoch, the same on every call.
Epochs = Callable[[int], Sequence[Example]]


def fit(
    network: Network,
    examples: Epochs,
    stage: Stage,
    folder: Path,
    *,
    loss: Loss | None = None,
    watch: Callable[[Network], str] | None = None,
    fused: bool = True,
) -> Network:
    """Train to the end of the stage; what another start has already done is not done again.

    Writes ``<name>.pt`` (weights) when done, ``<name>.state.pt`` on the way, a line an epoch and a
    hundred steps to ``<name>.log``.
    """
    done = folder / f"{stage.name}.pt"
    if done.exists():
        network.load_state_dict(torch.load(done, weights_only=True))
        return network
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    if fused:
        fuse(network)
    steps = [len(_groups(examples(epoch), stage, epoch)) for epoch in range(stage.epochs)]
    course = _Course(network, stage, sum(steps), loss or stage_loss(stage), folder)
    course.resume()
    with _progress() as progress, (folder / f"{stage.name}.log").open("a") as log:
        bar = progress.add_task(stage.name, total=sum(steps), completed=course.step, note="")
        for epoch in range(stage.epochs):
            todo = sum(steps[: epoch + 1]) - course.step
            if todo <= 0:
                continue
            for batch in _groups(examples(epoch), stage, epoch)[-todo:]:
                course.learn(batch.to(device))
                progress.update(bar, advance=1, note=f"loss {course.mean:.3f}")
                if course.step % LOGGED_STEPS == 0:
                    _write(log, f"step {course.step} loss {course.mean:.4f}")
            course.save()
            if watch is not None:
                network.eval()
                progress.console.print(_write(log, f"epoch {epoch + 1}: {watch(network)}"))
                network.train()
    network.eval()
    course.end(done)
    return network


class _Course:
    """Where a stage stands: weights, optimiser, rate and step, in memory and in a file."""

    def __init__(
        self, network: Network, stage: Stage, steps: int, loss: Loss, folder: Path
    ) -> None:
        self._network, self._seed, self._loss = network, stage.seed, loss
        self._optimiser = torch.optim.AdamW(parameters(network, stage), fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, shape(steps, stage.warm_up)
        )
        self._file = folder / f"{stage.name}.state.pt"
        self._saved = time.monotonic()
        self.step = 0  #: steps that were made
        self.mean = 0.0  #: of the loss, of the last steps most

    def resume(self) -> None:
        """Go on where the file says that an earlier start was, if there is one."""
        if not self._file.exists():
            return
        device = self._network.word.weight.device
        state = torch.load(self._file, weights_only=True, map_location=device)
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.step = int(state["step"])

    def learn(self, batch: Batch) -> None:
        """One step, with the randomness of its number; writes the file when it is time."""
        self.step += 1
        torch.manual_seed(self._seed * 1_000_003 + self.step)
        with mixed(batch.ids.device):
            output = self._network(batch.ids, batch.mask)
        value = self._loss(output, batch)
        self._optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()
        self._schedule.step()
        lost = float(value.detach())
        self.mean = 0.98 * self.mean + 0.02 * lost if self.mean else lost
        if time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the file, whole or not at all."""
        state = {
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "step": self.step,
        }
        _replace(self._file, state)
        self._saved = time.monotonic()

    def end(self, done: Path) -> None:
        """Write the weights alone to ``done``; the file of the way there goes."""
        _replace(done, {name: tensor.cpu() for name, tensor in self._network.state_dict().items()})
        self._file.unlink(missing_ok=True)


def fuse(network: Network) -> None:
    """Fuse a layer's small operations, where a compiler is: training is half as long with it."""
    if shutil.which("g++") or shutil.which("clang++"):
        for layer in network.stack:
            layer.compile(dynamic=True)


def _groups(examples: Sequence[Example], stage: Stage, epoch: int) -> list[Batch]:
    return list(batches(examples, tokens=stage.tokens, seed=stage.seed + epoch))


def _replace(path: Path, what: dict[str, object] | dict[str, Tensor]) -> None:
    half = path.with_suffix(".half")
    torch.save(what, half)
    half.replace(path)


def _write(log: TextIO, what: str) -> str:
    line = f"{time.strftime('%H:%M:%S')} {what}"
    log.write(line + "\n")
    log.flush()
    return line


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
    )  # fmt: skip
