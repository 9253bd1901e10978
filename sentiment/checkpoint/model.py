"""A checkpoint loaded by transformers: texts in, a probability for each of its labels out."""

from __future__ import annotations

import itertools
import pickle
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from core.errors import GoodnameError
from sentiment.checkpoint.batches import batches
from sentiment.checkpoint.files import Checkpoint

log = structlog.get_logger()

Floats = npt.NDArray[np.float64]

#: Tokens of one text at most, the ends included; a checkpoint may read fewer.
MOST_TOKENS: Final = 256
#: Of a longer text this share of what is read is its end, where people say what they want.
TAIL: Final = 0.25
#: Texts and tokens (padding included) of one run.
GPU_BATCH: Final = 64
RUN_TOKENS: Final = {"cpu": 2_048, "gpu": 16_384}


@dataclass(frozen=True, slots=True)
class Answers:
    """One row a text."""

    probabilities: Floats  #: of the checkpoint's labels, in its order; a row sums to 1
    known: Floats  #: share of the text's tokens that the tokenizer knows; 0 where there are none


class Classifier:
    """The network with its tokenizer; threads take turns."""

    def __init__(
        self, tokenizer: Any, network: Any, *, device: Any, batch_size: int, length: int
    ) -> None:
        self._tokenizer = tokenizer
        self._network = network
        self._device = device
        self._length = length
        self._begin, self._end = _ends(tokenizer)
        self._batch_size = batch_size if tokenizer.pad_token_id is not None else 1
        self._run_tokens = RUN_TOKENS["cpu" if device.type == "cpu" else "gpu"]
        # The tokenizer changes itself while it works, and each run takes all cores anyway.
        self._lock = threading.Lock()
        id2label = network.config.id2label
        self.labels = tuple(str(id2label[place]) for place in range(len(id2label)))

    def __call__(self, texts: Sequence[str]) -> Answers:
        """The network's opinion of each text, in order; the same row of tokens is read once."""
        with self._lock:
            bodies = self._tokens(texts)
            rows = [(*self._begin, *self._cut(body), *self._end) for body in bodies]
            distinct = [row for row in dict.fromkeys(rows) if row]
            plan = batches(
                list(map(len, distinct)), size=self._batch_size, most_tokens=self._run_tokens
            )
            found: dict[tuple[int, ...], Floats] = {}
            for batch in plan:
                answers = self._run([distinct[i] for i in batch])
                found |= {distinct[i]: answer for i, answer in zip(batch, answers, strict=True)}
        even = np.full(len(self.labels), 1 / len(self.labels))
        probabilities = [_sound(found.get(row, even), even) for row in rows]
        return Answers(
            np.array(probabilities).reshape(len(rows), len(self.labels)),
            np.array([self._known(body) for body in bodies]),
        )

    def prove(self) -> None:
        """Read the longest row that may come; raises what the network raises."""
        answers = self((" ".join(itertools.repeat("word", 2 * self._length)),))
        if not np.isfinite(answers.probabilities).all():
            raise ValueError("its answers are no numbers")

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        # Words like "</s>" in a text stay words: nobody ends a text but we.
        encoded = self._tokenizer(
            list(texts),
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def _cut(self, body: list[int]) -> list[int]:
        room = self._length - len(self._begin) - len(self._end)
        if len(body) <= room:
            return body
        tail = int(room * TAIL)
        return body[: room - tail] + body[len(body) - tail :]

    def _known(self, body: list[int]) -> float:
        unknown = self._tokenizer.unk_token_id
        return 1 - body.count(unknown) / len(body) if body else 0.0

    def _run(self, rows: Sequence[tuple[int, ...]]) -> Floats:
        longest = max(map(len, rows))
        padding = self._tokenizer.pad_token_id or 0
        ids = torch.full((len(rows), longest), padding, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        with torch.inference_mode():
            logits = self._network(
                input_ids=ids.to(self._device), attention_mask=mask.to(self._device)
            ).logits
            shares = torch.softmax(logits.double().cpu(), dim=-1)
        return np.asarray(shares.numpy(), dtype=np.float64)


def load(checkpoint: Checkpoint, *, threads: int, batch_size: int) -> Classifier:
    """Read and try the checkpoint; ``GoodnameError`` says what is wrong with it.

    Runs on a GPU where torch sees one. Never runs code of the checkpoint's, never dials out.
    """
    if threads:
        torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    device = torch.device(_device())
    # torch and transformers raise whatever their parts raise at a broken file.
    try:
        classifier = _load(checkpoint, device, batch_size)
        classifier.prove()
    except GoodnameError:
        raise
    except pickle.UnpicklingError as error:
        raise GoodnameError(
            f"the pickle of {checkpoint.title} is broken or holds more than numbers; it is not read"
        ) from error
    except Exception as error:
        raise GoodnameError(
            f"cannot load {checkpoint.title}: {type(error).__name__}: {_short(error)}"
        ) from error
    log.info("checkpoint_loaded", name=checkpoint.title, device=device.type)
    return classifier


def _load(checkpoint: Checkpoint, device: Any, batch_size: int) -> Classifier:
    where = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(checkpoint.folder, **where)
    _check(config, checkpoint.title)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, **where)
    length = _length(config, tokenizer)
    network, report = AutoModelForSequenceClassification.from_pretrained(
        checkpoint.folder,
        config=config,
        dtype=torch.float32,
        use_safetensors=not checkpoint.is_pickled,
        weights_only=True,
        output_loading_info=True,
        **where,
    )
    if report["missing_keys"]:
        missing = ", ".join(sorted(map(str, report["missing_keys"]))[:4])
        raise GoodnameError(
            f"{checkpoint.title} was not trained to classify: its weights lack {missing}; take a "
            "checkpoint for sequence classification (the hub calls it text classification)"
        )
    # Networks that read a text from the left look for its end by the padding.
    if getattr(network.config, "pad_token_id", None) is None:
        network.config.pad_token_id = tokenizer.pad_token_id
    return Classifier(
        tokenizer,
        network.eval().to(device),
        device=device,
        batch_size=batch_size if device.type == "cpu" else max(batch_size, GPU_BATCH),
        length=length,
    )


def _check(config: Any, title: str) -> None:
    if config.problem_type == "multi_label_classification" or config.num_labels < 2:
        raise GoodnameError(
            f"{title} does not choose one of several labels (labels: {config.num_labels}, "
            f"problem_type: {config.problem_type}); it cannot judge sentiment"
        )


def _length(config: Any, tokenizer: Any) -> int:
    """Tokens that the network has places for."""
    length = min(MOST_TOKENS, int(tokenizer.model_max_length))
    places = getattr(config, "max_position_embeddings", None)
    if isinstance(places, int) and places > 0:
        # RoBERTa and its kin count places from the padding's id on: 514 of them are 512.
        padding = getattr(config, "pad_token_id", None)
        first = padding + 1 if isinstance(padding, int) and 0 <= padding < 4 else 0
        length = min(length, places - first)
    return length


def _ends(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer puts before and after a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return tuple(full[:start]), tuple(full[start + len(bare) :])
    raise ValueError("its tokenizer reads a text differently with its ends")


def _sound(answer: Floats, even: Floats) -> Floats:
    return answer if np.isfinite(answer).all() else even


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _short(error: Exception) -> str:
    text = "".join(char if char.isprintable() else " " for char in str(error))
    return " ".join(text.split())[:400]
