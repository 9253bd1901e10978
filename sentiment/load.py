"""How a process gets its judge: by name, once, on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.errors import GoodnameError
from sentiment.judge import Judge


def load_judge(model: str = "linear") -> Judge:
    """The process's judge of that name, read from disk on first use; safe to call in threads."""
    if model not in _KINDS:
        known = ", ".join(sorted(_KINDS))
        raise GoodnameError(f"unknown judge {model!r}; set the judge's model to one of: {known}")
    with _lock:
        if model not in _loaded:
            _loaded[model] = _KINDS[model]()
        return _loaded[model]


def _linear() -> Judge:
    from sentiment.linear.judge import LinearJudge
    from sentiment.linear.model import SHIPPED, load_model

    return LinearJudge(load_model(SHIPPED))


_KINDS: dict[str, Callable[[], Judge]] = {"linear": _linear}
_loaded: dict[str, Judge] = {}
_lock = threading.Lock()
