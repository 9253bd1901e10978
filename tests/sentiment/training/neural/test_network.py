"""What is trained and what is shipped are one network."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import onnxruntime  # noqa: E402

from sentiment.neural.tokens import cut  # noqa: E402
from sentiment.training.neural.distil import HEADS, kept, shortened, teaching  # noqa: E402
from sentiment.training.neural.encoder import Network, Output, Shape  # noqa: E402
from sentiment.training.neural.examples import (  # noqa: E402
    ALONE,
    LENGTH,
    TAIL,
    Batch,
    Example,
    batches,
    collate,
    padded,
    token_ids,
)
from sentiment.training.neural.export import export, quantised  # noqa: E402
from sentiment.training.neural.fit import fit  # noqa: E402
from sentiment.training.neural.loss import disagreement, stage_loss  # noqa: E402
from sentiment.training.neural.precision import mixed  # noqa: E402
from sentiment.training.neural.stage import Stage  # noqa: E402
from sentiment.training.neural.vocabulary import tokenizer_of  # noqa: E402

SMALL = Shape(vocabulary=50, layers=2, hidden=24, heads=2, feed_forward=48, positions=32)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(3)
    made = Network(SMALL)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made.eval()


def _examples(count: int, *, seed: int = 1) -> list[Example]:
    """Texts that are negative, critical and about safety if pieces above 25 end them."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        ids = tuple(int(i) for i in draw.integers(4, 25, draw.integers(3, 20)))
        grave = bool(draw.random() < 0.5)
        if grave:
            ids = (*ids, *draw.integers(26, 30, 3).tolist())
        made.append(
            Example(
                ids=(0, *ids, 2),
                sentiment=(1.0, 0.0, 0.0) if grave else (0.0, 0.0, 1.0),
                severity=(0.0, 0.0, 0.0, 0.0, 1.0) if grave else (1.0, 0.0, 0.0, 0.0, 0.0),
                categories=(float(grave),) + (0.0,) * 14,
            )
        )
    return made


def _onnx(path: Path, ids: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["sentiment", "severity", "category", "look"], {"input_ids": ids})


def _rows(count: int) -> np.ndarray:  # type: ignore[type-arg]
    """Texts of one length: what the shipped graph reads together."""
    return np.random.default_rng(1).integers(0, 50, (count, 17))


def test_the_exported_graph_says_what_the_network_says(network: Network, tmp_path: Path) -> None:
    rows = _rows(5)
    export(network, tmp_path / "model.onnx", length=32, int8=False)
    with torch.no_grad():
        wanted = network(torch.tensor(rows), torch.ones(rows.shape, dtype=torch.bool))

    told = _onnx(tmp_path / "model.onnx", rows)

    for logits, expected in zip(told[:3], wanted[:3], strict=True):
        np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(told[3].sum(axis=1), 1, atol=1e-5)


def test_int8_is_near_and_much_smaller(network: Network, tmp_path: Path) -> None:
    rows = _rows(20)
    export(network, tmp_path / "whole.onnx", length=32, int8=False)
    export(network, tmp_path / "small.onnx", length=32)

    whole, small = _onnx(tmp_path / "whole.onnx", rows), _onnx(tmp_path / "small.onnx", rows)

    spread = whole[1].std()
    assert np.abs(whole[1] - small[1]).mean() < 0.15 * spread
    assert not np.array_equal(whole[1], small[1])


def test_a_text_is_read_alike_whatever_stands_beside_it(network: Network, tmp_path: Path) -> None:
    rows = _rows(8)
    export(network, tmp_path / "model.onnx", length=32)

    together = _onnx(tmp_path / "model.onnx", rows)
    alone = [_onnx(tmp_path / "model.onnx", row[None]) for row in rows]

    for kind, logits in enumerate(together):
        np.testing.assert_allclose(
            logits, np.concatenate([one[kind] for one in alone]), rtol=0, atol=1e-5
        )


def test_rows_are_quantised_each_with_its_own_scale() -> None:
    weight = np.array([[0.0, 127.0, -63.5], [0.0, 0.001, -0.001]], np.float32)

    numbers, scale = quantised(weight)

    assert numbers.tolist() == [[0, 127, -64], [0, 127, -127]]
    np.testing.assert_allclose(scale, [1.0, 0.001 / 127], rtol=1e-5)


def test_padding_changes_nothing(network: Network) -> None:
    short = _examples(1)[0]
    long = Example(ids=(0, *range(4, 24), 2))
    alone, beside = collate([short]), collate([short, long])

    with torch.no_grad():
        one = network(alone.ids, alone.mask).severity[0]
        two = network(beside.ids, beside.mask).severity[0]

    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    kept = cut(list(range(1_000)), LENGTH, TAIL)

    assert len(kept) == 254
    assert kept[:3] == [0, 1, 2]
    assert kept[-3:] == [997, 998, 999]
    assert cut(list(range(254)), LENGTH, TAIL) == list(range(254))


def test_a_text_is_learned_as_it_will_be_read() -> None:
    letters = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz@"]
    tokenizer = tokenizer_of(
        [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters]
    )

    raw, clean = token_ids(tokenizer, ["see   https://example.com/a @someone", "see http @user"])

    assert raw == clean


def test_an_epoch_holds_every_example_once_and_few_shapes() -> None:
    examples = [Example(ids=(0, *[4] * (i % 60 + 1), 100 + i)) for i in range(500)]

    seen = list(batches(examples, tokens=256, seed=1))

    last = [
        int(ids[mask][-1])
        for batch in seen
        for ids, mask in zip(batch.ids, batch.mask, strict=True)
    ]
    assert sorted(last) == list(range(100, 600))
    assert all(batch.ids.shape[1] == padded(batch.ids.shape[1]) for batch in seen)
    shapes = {tuple(batch.ids.shape) for batch in seen}
    assert len(shapes) <= len({length for _, length in shapes}) + 1, "a length with two sizes"


def test_texts_of_one_event_share_a_batch() -> None:
    examples = [
        Example(ids=(0, *[4] * (7 * i % 50 + 1), 100 + i), event=i % 40 if i < 160 else ALONE)
        for i in range(400)
    ]

    seen = list(batches(examples, tokens=1024, seed=1))

    told = torch.cat([batch.event for batch in seen])
    assert sorted(told.tolist()) == sorted(example.event for example in examples)
    whole = sum(int((batch.event == event).sum()) == 4 for batch in seen for event in range(40))
    assert whole > 20, "most events were torn apart"


def test_what_is_told_in_four_languages_should_get_one_level() -> None:
    event = torch.tensor([7, ALONE, 7, 3, 3])
    sure = torch.eye(5)[torch.tensor([4, 0, 4, 1, 1])] * 50
    torn = torch.eye(5)[torch.tensor([4, 0, 2, 1, 1])] * 50

    assert float(disagreement(sure, event)) == pytest.approx(0, abs=1e-5)
    assert float(disagreement(torn, event)) == pytest.approx(2 * math.log(2) / 5, abs=1e-4)
    assert float(disagreement(torn, torch.full((5,), ALONE))) == 0


def test_a_stage_learns_and_a_cut_off_one_goes_on(tmp_path: Path) -> None:
    examples = _examples(1_000)
    stage = Stage(name="short", epochs=6, rate=5e-3, head_rate=1e-2, tokens=512)

    class CutOffError(Exception):
        pass

    torch.manual_seed(1)
    network = Network(SMALL)
    epochs = []

    def watch(_: Network) -> str:
        epochs.append(1)
        if len(epochs) == 2:
            raise CutOffError
        return ""

    with pytest.raises(CutOffError):
        fit(network, lambda _: examples, stage, tmp_path, watch=watch, fused=False)
    assert (tmp_path / "short.state.pt").exists()

    fresh = Network(SMALL)
    fit(fresh, lambda _: examples, stage, tmp_path, watch=watch, fused=False)

    assert len(epochs) == 6, "an epoch that was done was done again"
    assert not (tmp_path / "short.state.pt").exists()
    unseen = _examples(100, seed=9)
    batch = collate(unseen)
    with torch.no_grad():
        told = fresh(batch.ids, batch.mask).severity.argmax(dim=1)
    assert (told == batch.severity.argmax(dim=1)).float().mean() > 0.9


def test_a_run_that_was_cut_off_ends_with_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the middle of an epoch, too, of which no batch may come twice or be left out."""
    stage = Stage(name="short", epochs=2, rate=5e-3, head_rate=1e-2, tokens=256)
    examples = _examples(120)
    monkeypatch.setattr("sentiment.training.neural.fit.CHECKPOINT_SECONDS", 0)

    def trained(folder: Path, *, cut_at: int | None = None) -> Network:
        folder.mkdir(exist_ok=True)
        torch.manual_seed(1)
        network, learn = Network(SMALL, dropout=0.3), stage_loss(stage)
        steps = 0

        def loss(output: Output, batch: Batch) -> torch.Tensor:
            nonlocal steps
            steps += 1
            if steps == cut_at:
                raise KeyboardInterrupt
            return learn(output, batch)

        return fit(network, lambda _: examples, stage, folder, loss=loss, fused=False)

    whole = trained(tmp_path / "whole").state_dict()
    for cut_at in (3, 4, 9):  # of seven batches an epoch, counted from each start
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "cut", cut_at=cut_at)
        assert torch.load(tmp_path / "cut" / "short.state.pt")["step"] in (2, 5, 13)
    again = trained(tmp_path / "cut").state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@torch.no_grad()
def test_a_student_takes_evenly_spread_layers_and_learns_nothing_from_its_twin() -> None:
    teacher = Network(replace(SMALL, layers=12), dropout=0.0).eval()
    assert kept(teacher, 6) == [1, 3, 5, 7, 9, 11]
    assert kept(teacher, 4) == [2, 5, 8, 11]
    student = shortened(teacher, 6)
    for ours, theirs in zip(student.stack, kept(teacher, 6), strict=True):
        assert torch.equal(ours.up.weight, teacher.stack[theirs].up.weight)

    batch = collate([replace(one, weights=(0.0, 0.0, 0.0)) for one in _examples(8)])
    stage = Stage(name="student", epochs=1, rate=1e-3, head_rate=1e-3)
    twin = teaching(teacher, range(12), stage)(teacher(batch.ids, batch.mask), batch)
    assert float(twin) == pytest.approx(
        float(HEADS[2] * _entropy_of(teacher(batch.ids, batch.mask).category)), abs=1e-5
    )
    begun = teaching(teacher, kept(teacher, 6), stage)(student(batch.ids, batch.mask), batch)
    astray = teaching(teacher, range(6), stage)(student(batch.ids, batch.mask), batch)
    assert float(twin) < float(begun) < float(astray)


def _entropy_of(logits: torch.Tensor) -> torch.Tensor:
    """What the categories' cross entropy with themselves leaves."""
    p = logits.sigmoid()
    return -(p * p.log() + (1 - p) * (1 - p).log()).sum(dim=1).mean()


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ({"avx2": True, "avx512_f": True}, torch.float32),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_half_precision_is_taken_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, bool], kind: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    matrix = torch.ones(4, 4)

    with mixed(torch.device("cpu")):
        assert (matrix @ matrix).dtype is kind
