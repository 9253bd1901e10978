"""Texts per second of every judge on the same texts in one run: ``python bench/judge.py``.

The yardstick is what a user would otherwise write: the ``transformers`` pipeline on torch in
float32 over the encoder that ours was made of (12 layers, 250 002 pieces; its weights do not change
its speed, so random ones do). It is measured where torch and transformers are installed. All take
turns on small portions, so that a machine that is busy for a while is busy for each of them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sentiment.cascade import CascadeJudge, Harmless
from sentiment.judge import Judge
from sentiment.linear import judge as linear
from sentiment.linear import model as linear_model
from sentiment.neural.encoder import cores
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import SHIPPED, TOKENIZER, load_model
from sentiment.training.posts import read_posts

PORTION = 64
#: For a model that has no thresholds of its own yet; the share settled is what matters for speed.
LOOSE = Harmless(low_at_most=0.16, medium_at_most=0.05, sentiment_at_least=0.6)
PUBLISHED = {"vocab_size": 250_002, "hidden_size": 384, "num_hidden_layers": 12,
             "num_attention_heads": 12, "intermediate_size": 1536, "num_labels": 3}  # fmt: skip

SIGNS = {"pad_token": "<pad>", "unk_token": "<unk>"}


def main() -> None:
    """Ratios first; the absolute figures are a note about this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=SHIPPED, help="folder of a neural model")
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        _worker(arguments.memory_of, arguments.threads)
        return
    texts = _texts(arguments.texts)
    stages = dict(_stages(arguments.model, arguments.threads, arguments.batch_size))
    wall, cpu = _measure(stages, texts)
    first = next(iter(stages))
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{len(texts)} posts of {words:.0f} words, {arguments.threads} threads")
    print(f"{'times':>8} {'texts/s':>9} {'a CPU-s':>9}  against: {first}")
    for name in stages:
        times = wall[first] / wall[name]
        print(
            f"{times:>8.1f} {len(texts) / wall[name]:>9.1f} {len(texts) / cpu[name]:>9.1f}  {name}"
        )
    peak = _memory(arguments.model, arguments.threads)
    print(f"{peak:>8.0f} MiB at most in a worker with both judges that read 64 texts of 256 tokens")


def _stages(
    folder: Path, threads: int, batch_size: int
) -> Iterator[tuple[str, Callable[[Sequence[str]], object]]]:
    yield from _pipeline(folder, threads)
    quick = linear.LinearJudge(linear_model.load_model(linear_model.SHIPPED))
    model = load_model(folder)
    full = NeuralJudge(model, threads=threads, batch_size=batch_size)
    bare = NeuralJudge(model, threads=threads, batch_size=batch_size).grades_only()
    harmless = model.about.harmless or LOOSE
    yield "neural, grades alone", bare
    yield "neural, with reasons", full
    yield "neural behind the cascade, grades alone", CascadeJudge(quick, bare, harmless)
    yield "neural behind the cascade, with reasons", CascadeJudge(quick, full, harmless)
    yield "linear, with reasons", quick


def _pipeline(
    folder: Path, threads: int
) -> Iterator[tuple[str, Callable[[Sequence[str]], object]]]:
    try:
        import torch
        import transformers
    except ImportError:
        print("torch and transformers are not installed: no yardstick", file=sys.stderr)
        return
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    network = transformers.BertForSequenceClassification(transformers.BertConfig(**PUBLISHED))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / TOKENIZER), model_max_length=256, **SIGNS
    )
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    run = transformers.pipeline(
        "text-classification", model=network.eval(), tokenizer=tokenizer, device="cpu"
    )
    yield (
        "transformers pipeline, float32, 12 layers",
        lambda texts: run(list(texts), truncation=True),
    )


def _measure(
    stages: dict[str, Callable[[Sequence[str]], object]], texts: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    wall, cpu = dict.fromkeys(stages, 0.0), dict.fromkeys(stages, 0.0)
    for stage in stages.values():
        stage(texts[:8])
    for start in range(0, len(texts), PORTION):
        for name, stage in stages.items():
            began, busy = time.perf_counter(), time.process_time()
            stage(texts[start : start + PORTION])
            wall[name] += time.perf_counter() - began
            cpu[name] += time.process_time() - busy
    return wall, cpu


def _texts(count: int) -> list[str]:
    """Our own posts, those nearest to forty words."""
    posts = sorted(read_posts(), key=lambda post: abs(len(post.text.split()) - 40))
    return [post.text for post in posts[:count]]


def _memory(folder: Path, threads: int) -> float:
    """MiB of a fresh process that has judged long texts, reasons included."""
    command = [sys.executable, __file__, "--memory-of", str(folder), "--threads", str(threads)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(answer.stdout)["peak_mib"])


def _worker(folder: Path, threads: int) -> None:
    quick = linear.LinearJudge(linear_model.load_model(linear_model.SHIPPED))
    thorough: Judge = NeuralJudge(load_model(folder), threads=threads)
    texts = [" ".join(_texts(8)) + f" {number}" for number in range(64)]
    CascadeJudge(quick, thorough, replace(LOOSE, low_at_most=0))(texts)
    print(json.dumps({"peak_mib": _peak_mib()}))


def _peak_mib() -> float:
    """Of this program alone: what ``getrusage`` says begins with the size of its parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    return int(found.group(1)) / 2**10


if __name__ == "__main__":
    main()
