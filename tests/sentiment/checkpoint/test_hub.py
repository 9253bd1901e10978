"""Checkpoints by their name on the hub: fetched once, kept, and clear errors where not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import GoodnameError
from sentiment.checkpoint.files import Checkpoint, find
from sentiment.judge import Judge
from tests.sentiment.checkpoint.hub import COMMIT, Hub, serving

constants = pytest.importorskip(
    "huggingface_hub.constants", reason="huggingface_hub is not installed"
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    safe, pickled = tmp_path / "safe", tmp_path / "pickled"
    for folder in (safe, pickled):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
        (folder / "tokenizer.json").write_text("{}")
        (folder / "pytorch_model.bin").write_bytes(b"a pickle")
        (folder / "tf_model.h5").write_bytes(b"of another framework")
    (safe / "model.safetensors").write_bytes(b"numbers")
    known = {"shop/mood": safe, "shop/old": pickled}
    with serving(Hub(known, gated=frozenset({"shop/closed"}))) as served:
        yield served


@pytest.fixture(autouse=True)
def _away_from_the_real_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _ask(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


def _ask(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def _find(name: str, *, revision: str = "", allow_pickled: bool = False) -> Checkpoint:
    return find(name, revision=revision, allow_pickled=allow_pickled)


def test_only_what_a_judge_reads_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask(monkeypatch, hub.url)
    found = _find("shop/mood", allow_pickled=True)
    assert (found.title, found.is_pickled) == ("shop/mood", False)
    fetched = {path.name for path in found.folder.iterdir()}
    assert fetched == {"config.json", "tokenizer.json", "model.safetensors"}


def test_what_was_fetched_once_is_there_without_internet(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(monkeypatch, hub.url)
    first = _find("shop/mood")
    asked = len(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = _find("shop/mood")
    assert len(hub.asked) == asked
    assert (again.title, again.digest) == (first.title, first.digest)


def test_a_revision_is_asked_for_by_its_name(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask(monkeypatch, hub.url)
    _find("shop/mood", revision="refs/pr/3")
    assert "api/models/shop/mood/revision/refs/pr/3" in hub.asked
    assert _find("shop/mood", revision=COMMIT).folder.name == COMMIT
    with pytest.raises(GoodnameError, match=r"no revision 'v9'.*\[sentiment\] revision"):
        _find("shop/mood", revision="v9")


def test_a_pickle_is_not_even_fetched_unless_allowed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(monkeypatch, hub.url)
    with pytest.raises(GoodnameError, match=r"shop/old has no model.safetensors.*pickled_weights"):
        _find("shop/old")
    assert not any(path.endswith(".bin") for path in hub.asked)
    assert _find("shop/old", allow_pickled=True).is_pickled


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("shop/nowhere", "the hub has no checkpoint 'shop/nowhere', or it is private"),
     ("shop/closed", "shop/closed is given only to those who accept its terms.*HF_TOKEN")],
)  # fmt: skip
def test_what_the_hub_refuses_is_an_error_that_says_why(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str
) -> None:
    _ask(monkeypatch, hub.url)
    with pytest.raises(GoodnameError, match=complaint):
        _find(name)


def test_offline_nothing_is_dialled_and_the_error_says_what_to_do(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(monkeypatch, hub.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        GoodnameError, match=r"HF_HUB_OFFLINE is set.*hf download shop/mood --local-dir"
    ):
        _find("shop/mood")
    assert hub.asked == []


def test_without_internet_the_error_says_what_to_do() -> None:
    with pytest.raises(GoodnameError, match=r"cannot be downloaded .*hf download shop/mood"):
        _find("shop/mood")


def test_a_checkpoint_from_the_hub_judges(
    hub: Hub, three: Path, opened: Callable[..., Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.folders = {"shop/three": three}
    _ask(monkeypatch, hub.url)
    judge = opened(Path("shop/three"))
    assert judge.name.startswith("hf:shop/three+")
    assert judge(["lovely food"]) == opened(three)(["lovely food"])
