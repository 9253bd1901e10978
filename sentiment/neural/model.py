"""The neural judge's files: the network, its tokenizer, and what its outputs mean."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnxruntime as ort
from tokenizers import Tokenizer

from core.errors import GoodnameError
from sentiment.neural.about import FILE, About, parse

SHIPPED: Final = Path(__file__).parent.parent / "models" / "neural"
NETWORK, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", FILE

_INPUTS: Final = {"input_ids"}
_OUTPUTS: Final = {"sentiment": 3, "severity": 5, "category": 15, "look": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuralModel:
    """Everything that a judge needs, ready to run; threads may share it."""

    session: ort.InferenceSession
    tokenizer: Tokenizer
    about: About
    digest: str  #: SHA-256 of the three files, hexadecimal


def load_model(folder: Path) -> NeuralModel:
    """Read and check the folder; ``GoodnameError`` says what to do about a bad one."""
    # Its own threads would outlive a fork and crowd the cores that the encoder is told to use.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        bodies = {name: (folder / name).read_bytes() for name in (ABOUT, TOKENIZER, NETWORK)}
        model = NeuralModel(
            about=parse(bodies[ABOUT]),
            tokenizer=_tokenizer(bodies[TOKENIZER]),
            session=open_network(bodies[NETWORK]),
            digest=_digest(bodies.values()),
        )
    # The two libraries raise bare Exceptions for files that they cannot read.
    except Exception as error:
        mend = "install Goodname again" if folder == SHIPPED else "copy all three of its files"
        raise GoodnameError(
            f"cannot read the neural judge in {folder}: {_first_line(error)}; {mend}, "
            "or train the judge, with the extra train-neural, by: "
            "python -m sentiment.training.neural --data FOLDER (docs/training.md)"
        ) from error
    return model


def _tokenizer(body: bytes) -> Tokenizer:
    tokenizer = Tokenizer.from_buffer(body)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def open_network(body: bytes) -> ort.InferenceSession:
    """The network of an ONNX file, exact and fast on this processor."""
    options = ort.SessionOptions()
    # One thread a run: texts run beside each other instead, which keeps every core busy without
    # waiting for the others at each of a few hundred operators.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if clamps(_cpu()):
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(
        body,
        options,
        providers=["CPUExecutionProvider"],
        # The fused operator is a plain loop on CPUs: a fifth of the whole time (onnxruntime 1.31).
        disabled_optimizers=["SkipLayerNormFusion"],
    )
    _check(session)
    return session


def clamps(cpu: str) -> bool:
    """Whether a processor, by its ``/proc/cpuinfo``, adds products of int8 in 16 bits and clamps.

    AVX2 and AVX-512 do where VNNI is missing; onnxruntime then has kernels that are exact and take
    twice as long.
    """
    return "avx2" in cpu and "vnni" not in cpu


def _cpu() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _check(session: ort.InferenceSession) -> None:
    inputs = {part.name for part in session.get_inputs()}
    outputs = {part.name: part.shape for part in session.get_outputs()}
    if inputs != _INPUTS or not _OUTPUTS.keys() <= outputs.keys():
        raise ValueError(f"model.onnx has other inputs or outputs: {sorted(inputs | set(outputs))}")
    for name, width in _OUTPUTS.items():
        if width is not None and outputs[name][1] != width:
            raise ValueError(f"model.onnx gives {outputs[name][1]} numbers for {name}, not {width}")


def _digest(bodies: object) -> str:
    digest = hashlib.sha256()
    for body in bodies:  # type: ignore[attr-defined]
        digest.update(hashlib.sha256(body).digest())
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
