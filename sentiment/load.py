"""How a process gets its judge: by name, once, on first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.errors import GoodnameError
from core.settings import SentimentSection
from core.types import Sentiment
from sentiment.checkpoint.files import folder_of, looks_like_checkpoint
from sentiment.judge import Judge

_SHIPPED_FOLDER: Final = Path(__file__).parent / "models" / "neural"
#: The judge that is taken where nobody says which, and beside a checkpoint for all but sentiment.
SHIPPED: Final = SentimentSection().model


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A judge and how it is to work."""

    model: str
    cascade: bool = False  #: let the linear judge settle what is plainly harmless
    threads: int = 0  #: 0: one for each core that this process may use
    batch_size: int = 1  #: texts in one run of an encoder
    labels: tuple[tuple[str, Sentiment], ...] = ()  #: what a checkpoint's labels mean
    revision: str = ""  #: of a checkpoint on the hub; empty: the newest
    pickled_weights: bool = False  #: read a checkpoint that has no safe weights


def open_judge(settings: SentimentSection) -> Judge:
    """The judge that the settings want; a process has one of each kind."""
    return _shared(
        Wanted(
            model=settings.model,
            cascade=settings.cascade,
            threads=settings.threads,
            batch_size=settings.batch_size,
            labels=tuple(sorted(settings.labels.items())),
            revision=settings.revision,
            pickled_weights=settings.pickled_weights,
        )
    )


def load_judge(
    model: str = SHIPPED, *, cascade: bool = False, threads: int = 0, batch_size: int = 1
) -> Judge:
    """The process's judge of that name, read from disk on first use; safe to call in threads."""
    return _shared(Wanted(model=model, cascade=cascade, threads=threads, batch_size=batch_size))


def _shared(wanted: Wanted) -> Judge:
    with _lock:
        return _one(wanted)


def _one(wanted: Wanted) -> Judge:
    """Of each kind one, however its folder is spelled; the caller holds the lock."""
    if (ours := _ours(wanted.model)) is not None:
        # What is said of a checkpoint says nothing to it.
        wanted = replace(wanted, model=ours, labels=(), revision="", pickled_weights=False)
    if wanted not in _loaded:
        _loaded[wanted] = _builder(wanted.model)(wanted)
    return _loaded[wanted]


def _ours(model: str) -> str | None:
    """The judge's name, or its folder written in one way; None of what is no judge of ours."""
    from sentiment.neural.about import lies_in

    folder = folder_of(model)
    if model in _KINDS:
        return model
    if not model or not lies_in(folder):
        return None
    return SHIPPED if folder.resolve() == _SHIPPED_FOLDER.resolve() else str(folder.resolve())


def _builder(model: str) -> Callable[[Wanted], Judge]:
    if model in _KINDS:
        return _KINDS[model]
    if _ours(model) is not None:
        return _neural
    if model.startswith(("/", "~", ".")) and not os.path.isdir(folder_of(model)):  # noqa: PTH112
        raise GoodnameError(f"[sentiment] model {model!r}: there is no such folder")
    if looks_like_checkpoint(model):
        return _checkpoint
    known = ", ".join(sorted(_KINDS))
    raise GoodnameError(
        f"unknown judge {model!r}; set [sentiment] model to one of: {known}; or to the folder of a "
        "judge that you trained; or to a Hugging Face checkpoint: owner/name, or its folder"
    )


def _linear(_: Wanted) -> Judge:
    from sentiment.linear import model
    from sentiment.linear.judge import LinearJudge

    return LinearJudge(model.load_model(model.SHIPPED))


def _checkpoint(wanted: Wanted) -> Judge:
    from sentiment.checkpoint.open import open_checkpoint

    shipped = Wanted(
        model=SHIPPED,
        cascade=wanted.cascade,
        threads=wanted.threads,
        batch_size=wanted.batch_size,
    )
    return open_checkpoint(
        wanted.model,
        _one(shipped),
        labels=dict(wanted.labels),
        revision=wanted.revision,
        allow_pickled=wanted.pickled_weights,
        threads=wanted.threads,
        batch_size=wanted.batch_size,
    )


def _neural(wanted: Wanted) -> Judge:
    from sentiment.neural.judge import NeuralJudge
    from sentiment.neural.model import SHIPPED, load_model

    model = load_model(folder_of(wanted.model) if wanted.model not in _KINDS else SHIPPED)
    judge = NeuralJudge(model, threads=wanted.threads, batch_size=wanted.batch_size)
    if not wanted.cascade:
        return judge
    if model.about.harmless is None:
        raise GoodnameError(
            "this model was trained without a first stage; set [sentiment] cascade = false"
        )
    from sentiment.cascade import CascadeJudge

    return CascadeJudge(_one(Wanted(model="linear")), judge, model.about.harmless)


_KINDS: dict[str, Callable[[Wanted], Judge]] = {"linear": _linear, "neural": _neural}
_loaded: dict[Wanted, Judge] = {}
_lock = threading.Lock()
