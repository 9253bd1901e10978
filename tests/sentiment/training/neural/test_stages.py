"""Which texts each stage of a training learns from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from core.errors import GoodnameError  # noqa: E402
from sentiment.training.neural import stages  # noqa: E402
from sentiment.training.neural.encoder import Network, Shape  # noqa: E402
from sentiment.training.neural.stages import OWN, Material, own  # noqa: E402
from sentiment.training.posts import LabelledPost  # noqa: E402
from tests.sentiment.training.neural.small import PIECES, TOKENIZER, post, public  # noqa: E402

TINY = Shape(vocabulary=40, layers=1, hidden=8, heads=2, feed_forward=8, positions=256)


def _material(**more: Any) -> Material:
    texts = [public("a public text")]
    whole: dict[str, Any] = {
        "wide": [], "near": texts, "public_dev": texts, "posts": [post("learned")],
        "posts_dev": [post("watched", split="dev")],
        "parallel": [post("told in four", split="parallel")], "wide_of": {"licences": "A"},
        "near_of": {"licences": "A"}, "posts_of": {"posts": "1"},
    }  # fmt: skip
    return Material(**whole | more)


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, set[str]]:
    """Texts of our own posts that each stage has shown to the network, in its first epoch."""
    shown: dict[str, set[str]] = {}
    drawn: set[str] = set()

    def own_examples(posts: list[LabelledPost], *_: object, seed: int) -> list[object]:
        drawn.update(one.text for one in posts)
        return []

    def fit(network: Network, examples: Any, stage: Any, *_: object, **__: object) -> Network:
        drawn.clear()
        examples(0)
        shown[stage.name] = {*drawn}
        return network

    (tmp_path / "general.pt").write_bytes(b"weights")
    monkeypatch.setattr(stages, "own_examples", own_examples)
    monkeypatch.setattr(stages, "fit", fit)
    return shown


def test_no_post_is_learned_that_measures(learned: dict[str, set[str]], tmp_path: Path) -> None:
    own(Network(TINY), TOKENIZER, _material(), tmp_path)

    assert learned == {OWN.name: {"learned"}}


def test_posts_are_parted_by_their_split_and_only_what_is_learned_is_claimed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "index.json").write_text("[]")
    splits = ("train", "dev", "test", "parallel", "train")
    posts = [post(f"{split} {number}", split=split) for number, split in enumerate(splits)]

    def gathered(found: list[LabelledPost]) -> Material:
        monkeypatch.setattr(stages, "read_posts", lambda: found)
        return stages.gather(tmp_path, ["A"])

    whole = gathered(posts)

    assert [one.text for one in whole.posts] == ["train 0", "train 4"]
    assert [one.text for one in whole.posts_dev] == ["dev 1"]
    assert [one.text for one in whole.parallel] == ["parallel 3"]
    assert gathered(posts[:2] + posts[3:]).posts_of == whole.posts_of
    assert gathered(posts[:4]).posts_of != whole.posts_of


def test_weights_of_another_draw_are_not_gone_on_from(
    learned: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own(Network(TINY), TOKENIZER, _material(), tmp_path)
    monkeypatch.setattr(stages, "REPLAYED", stages.REPLAYED + 1)

    with pytest.raises(GoodnameError, match=r"trained on something else \(replayed\):"):
        own(Network(TINY), TOKENIZER, _material(), tmp_path)


@pytest.mark.parametrize("change", [{"posts_of": {"posts": "9"}}, {"near_of": {"licences": "A,B"}}])
def test_weights_of_other_texts_are_not_gone_on_from(
    learned: dict[str, set[str]], tmp_path: Path, change: dict[str, Any]
) -> None:
    own(Network(TINY), TOKENIZER, _material(), tmp_path)
    learned.clear()

    with pytest.raises(GoodnameError, match=f"stage '{OWN.name}'"):
        own(Network(TINY), TOKENIZER, _material(**change), tmp_path)

    assert not learned


@pytest.mark.usefixtures("learned")
def test_a_stage_goes_on_from_the_weights_that_it_began_with(tmp_path: Path) -> None:
    own(Network(TINY), TOKENIZER, _material(), tmp_path)
    (tmp_path / "general.pt").write_bytes(b"trained again")

    with pytest.raises(GoodnameError, match=r"\(start\): .* and those of the stages after it"):
        own(Network(TINY), TOKENIZER, _material(), tmp_path)


def test_heads_and_pieces_begin_alike_and_pieces_of_other_texts_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from sentiment.training.neural import start

    monkeypatch.setattr(start, "find_weights", lambda: None)
    monkeypatch.setattr(start, "read_weights", lambda _: SimpleNamespace(pieces=PIECES))
    monkeypatch.setattr(start, "_weighted", lambda *_: [("a public text", 1.0)])
    monkeypatch.setattr(start, "keep", lambda *_: list(range(len(PIECES))))
    monkeypatch.setattr(start, "from_published", lambda *_: Network(TINY))
    begun = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network, _ = start.begin(tmp_path, [], [], made_of={"public": "1"})
        begun.append(network.severity.out.weight)

    assert torch.equal(*begun)
    with pytest.raises(GoodnameError, match=r"'pieces'.*\(public\)"):
        start.begin(tmp_path, [], [], made_of={"public": "2"})
