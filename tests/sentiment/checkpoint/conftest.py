"""Checkpoints for these tests; without torch they skip and say so. Nothing here dials out."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.types import Sentiment
from sentiment.checkpoint.open import open_checkpoint
from sentiment.judge import Judge
from sentiment.load import load_judge


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A taught checkpoint with the labels negative, neutral, positive."""
    pytest.importorskip("torch", reason="torch (the extra [torch]) is not installed")
    pytest.importorskip("transformers", reason="transformers (the extra [torch]) is not installed")
    from tests.sentiment.checkpoint.making import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny-three")


Opened = Callable[..., Judge]


@pytest.fixture
def opened() -> Opened:
    """Open a folder as a judge, the linear one beside it."""

    def act(folder: Path, *, labels: dict[str, Sentiment] | None = None, **given: object) -> Judge:
        return open_checkpoint(str(folder), load_judge("linear"), labels=labels or {}, **given)  # type: ignore[arg-type]

    return act


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that looks up a name or connects to anything but this machine."""
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1"}:
            raise AssertionError(f"a test dialled {address}")
        connect(self, address)  # type: ignore[arg-type]

    def guarded_lookup(host: object, *rest: object, **more: object) -> object:
        if host not in {"127.0.0.1", "localhost", None}:
            raise AssertionError(f"a test asked where {host!r} is")
        return lookup(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)
