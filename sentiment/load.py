"""How a process gets its judge: by name, once, on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import GoodnameError
from core.settings import SentimentSection
from sentiment.judge import Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A judge and how it is to work."""

    model: str
    cascade: bool = False  #: let the linear judge settle what is plainly harmless
    threads: int = 0  #: 0: one for each core that this process may use
    batch_size: int = 1  #: texts in one run of an encoder


def open_judge(settings: SentimentSection) -> Judge:
    """The judge that the settings want; a process has one of each kind."""
    return load_judge(
        settings.model,
        cascade=settings.cascade,
        threads=settings.threads,
        batch_size=settings.batch_size,
    )


def load_judge(
    model: str = "linear", *, cascade: bool = False, threads: int = 0, batch_size: int = 1
) -> Judge:
    """The process's judge of that name, read from disk on first use; safe to call in threads."""
    wanted = Wanted(model=model, cascade=cascade, threads=threads, batch_size=batch_size)
    if model not in _KINDS:
        known = ", ".join(sorted(_KINDS))
        raise GoodnameError(f"unknown judge {model!r}; set [sentiment] model to one of: {known}")
    with _lock:
        if wanted not in _loaded:
            _loaded[wanted] = _KINDS[model](wanted)
        return _loaded[wanted]


def _linear(_: Wanted) -> Judge:
    from sentiment.linear.judge import LinearJudge
    from sentiment.linear.model import SHIPPED, load_model

    return LinearJudge(load_model(SHIPPED))


def _neural(wanted: Wanted) -> Judge:
    from sentiment.neural.judge import NeuralJudge
    from sentiment.neural.model import SHIPPED, load_model

    model = load_model(SHIPPED)
    judge = NeuralJudge(model, threads=wanted.threads, batch_size=wanted.batch_size)
    if not wanted.cascade:
        return judge
    if model.about.harmless is None:
        raise GoodnameError(
            "this model was trained without a first stage; set [sentiment] cascade = false"
        )
    from sentiment.cascade import CascadeJudge

    return CascadeJudge(_linear(wanted), judge, model.about.harmless)


_KINDS: dict[str, Callable[[Wanted], Judge]] = {"linear": _linear, "neural": _neural}
_loaded: dict[Wanted, Judge] = {}
_lock = threading.Lock()
