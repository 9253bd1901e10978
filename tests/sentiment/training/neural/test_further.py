"""A finished model learns further posts, and keeps what it knew."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from core.errors import GoodnameError  # noqa: E402
from core.types import Severity  # noqa: E402
from sentiment.neural.judge import NeuralJudge  # noqa: E402
from sentiment.neural.model import SHIPPED, load_model  # noqa: E402
from sentiment.training.neural import further as going_on  # noqa: E402
from sentiment.training.neural.__main__ import main  # noqa: E402
from sentiment.training.neural.encoder import Network  # noqa: E402
from sentiment.training.neural.examples import Example, token_ids  # noqa: E402
from sentiment.training.neural.export import export  # noqa: E402
from sentiment.training.neural.finished import read_finished  # noqa: E402
from sentiment.training.neural.further import Lesson, Rounds, further, read_lesson  # noqa: E402
from sentiment.training.neural.measure import run  # noqa: E402
from sentiment.training.neural.stages import Material  # noqa: E402
from sentiment.training.neural.vocabulary import tokenizer_of  # noqa: E402
from sentiment.training.posts import LabelledPost  # noqa: E402
from tests.sentiment.networks import write_model  # noqa: E402
from tests.sentiment.training.neural.small import (  # noqa: E402
    GLAD,
    GRAVE,
    MILD,
    PIECES,
    SMALL,
    TOKENIZER,
    post,
    public,
)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(3)
    return Network(SMALL).eval()


@pytest.fixture
def finished(network: Network, tmp_path: Path) -> Path:
    """The folder of a finished model."""
    folder = tmp_path / "model"
    folder.mkdir()
    export(network, folder / "model.onnx", length=256)
    TOKENIZER.save(str(folder / "tokenizer.json"))
    return folder


def _words(letters: str, count: int) -> list[str]:
    draw = random.Random(letters)
    return [" ".join("".join(draw.choices(letters, k=4)) for _ in range(4)) for _ in range(count)]


def _material(ours: list[LabelledPost]) -> Material:
    texts = [public(text, 2) for text in _words("tuv", 20)]
    return Material(wide=[], near=texts, public_dev=texts[:4], posts=ours,
                    posts_dev=[*ours[:3], post("xyz", GRAVE)], parallel=[],
                    wide_of={}, near_of={}, posts_of={},
    )  # fmt: skip


def _levels(network: Network, texts: list[str]) -> list[int]:
    ids = token_ids(TOKENIZER, texts)
    found: list[int] = run(network, [Example(ids=one) for one in ids]).severity.argmax(1).tolist()
    return found


@pytest.mark.parametrize("int8", [True, False])
def test_a_model_read_back_says_what_it_said(network: Network, tmp_path: Path, int8: bool) -> None:
    export(network, tmp_path / "model.onnx", length=256, int8=int8)
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))
    rows = torch.randint(4, 30, (6, 17), generator=torch.Generator().manual_seed(1))
    seen = torch.ones(rows.shape, dtype=torch.bool)

    again, tokenizer = read_finished(tmp_path)

    with torch.no_grad():
        ours, theirs = again.eval()(rows, seen), network(rows, seen)
        for told, wanted in zip((*ours[:3], *ours.states), (*theirs[:3], *theirs.states),
                                strict=True):  # fmt: skip
            error = (told - wanted).abs().mean() / wanted.std()
            assert error < (0.05 if int8 else 1e-5)
    assert tokenizer.encode("abc").ids == TOKENIZER.encode("abc").ids


def test_reading_and_writing_a_model_changes_nothing(finished: Path, tmp_path: Path) -> None:
    again, _ = read_finished(finished)
    export(again, tmp_path / "again.onnx", length=256)

    assert dataclasses.replace(again.shape, epsilon=SMALL.epsilon) == dataclasses.replace(
        SMALL, positions=256
    )
    assert again.shape.epsilon == pytest.approx(SMALL.epsilon)
    told = [_first_logits(path) for path in (finished / "model.onnx", tmp_path / "again.onnx")]
    np.testing.assert_allclose(*told, atol=1e-5)


def _first_logits(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ids = np.arange(4, 21).reshape(1, 17)
    found: np.ndarray = session.run(["severity"], {"input_ids": ids})[0]  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("damage", ["nothing", "torn", "another", "other pieces"])
def test_a_folder_without_such_a_model_is_told(finished: Path, damage: str) -> None:
    file = finished / "model.onnx"
    if damage == "nothing":
        file.unlink()
    elif damage == "torn":
        file.write_bytes(file.read_bytes()[:4000])
    elif damage == "another":
        (finished / "tokenizer.json").write_text(json.dumps({"model": 1}))
    else:
        tokenizer_of(PIECES[:-1]).save(str(finished / "tokenizer.json"))

    with pytest.raises(GoodnameError, match=r"holds no model to go on from.*has written"):
        read_finished(finished)


def _lesson(start: Path, new: list[LabelledPost], sha256: str = "1") -> Lesson:
    return Lesson(start=start, model="neural-1+0", before={}, posts=new, left=0, sha256=sha256)


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = dataclasses.replace(going_on.FURTHER, epochs=6, rate=5e-3, head_rate=1e-2, tokens=512)
    monkeypatch.setattr(going_on, "FURTHER", stage)
    # Compiling takes longer than these steps.
    monkeypatch.setattr("sentiment.training.neural.fit.fuse", lambda _: None)


def _share(network: Network, letters: str, level: Severity) -> float:
    return float(np.mean(np.array(_levels(network, _words(letters, 40))) == level))


@pytest.mark.usefixtures("brisk")
def test_it_learns_the_new_posts_and_keeps_what_it_knew(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So small a network learns by going far; a part of the way back unlearns it.
    monkeypatch.setattr(going_on, "SHARE", 1.0)
    known = [post(text, GRAVE) for text in _words("xyz", 200)]
    ours = [post(text, GLAD) for text in _words("abc", 200)]
    first, _ = further(_lesson(finished, known), _material(ours), tmp_path)
    export(first, finished / "model.onnx", length=256)
    # Nothing of the former lesson is shown again, and only a few of ours in each epoch.
    monkeypatch.setattr(going_on, "REHEARSED", 30)
    (second := tmp_path / "second").mkdir()
    new = [post(text, MILD) for text in _words("rst", 200)]

    network, _ = further(_lesson(finished, new), _material(ours), second)

    assert _share(network, "rst", Severity.LOW) > 0.9
    assert _share(network, "abc", Severity.NONE) > 0.9
    assert _share(network, "xyz", Severity.LOW) < 0.5, "the former lesson is forgotten"


@pytest.mark.usefixtures("brisk")
def test_its_weights_end_a_part_of_the_way_back_also_when_it_is_asked_for_again(
    finished: Path, tmp_path: Path
) -> None:
    lesson, material = _lesson(finished, [post("rstu", MILD)]), _material([post("abcd", GLAD)])
    taken, _ = further(lesson, material, tmp_path, epochs=2)
    again, _ = further(lesson, material, tmp_path, epochs=2)

    before = read_finished(finished)[0].state_dict()
    after = torch.load(tmp_path / "further.pt", weights_only=True)
    for weights in (taken.state_dict(), again.state_dict()):
        for name, weight in weights.items():
            wanted = before[name] + going_on.SHARE * (after[name] - before[name])
            torch.testing.assert_close(weight, wanted, msg=name)
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("change", ["file", "ours", "tokenizer", "rehearsed"])
def test_a_lesson_begun_with_something_else_is_not_gone_on_with(
    finished: Path, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_on, "FURTHER", dataclasses.replace(going_on.FURTHER, epochs=1))
    new = [post(text, GRAVE) for text in _words("xyz", 8)]
    material = _material([post(text, GLAD) for text in _words("abc", 8)])
    further(_lesson(finished, new), material, tmp_path)
    further(_lesson(finished, new), material, tmp_path)

    if change == "rehearsed":
        monkeypatch.setattr(going_on, "REHEARSED", 7)
    if change == "tokenizer":
        TOKENIZER.save(str(finished / "tokenizer.json"), pretty=False)
    if change == "ours":
        material = dataclasses.replace(material, posts_of={"posts": "other"})

    with pytest.raises(GoodnameError, match="trained on something else"):
        further(_lesson(finished, new, "2" if change == "file" else "1"), material, tmp_path)


def test_each_epoch_shows_the_new_posts_and_the_next_of_the_others(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[str]] = []
    monkeypatch.setattr(going_on, "own_examples", lambda posts, *_, **__: shown.append(
        [post.text for post in posts]) or [])  # fmt: skip
    monkeypatch.setattr(going_on, "REHEARSED", 4)
    monkeypatch.setattr(going_on, "fit", lambda network, epoch, *_, **__: [
        epoch(number) for number in range(3)] and network)  # fmt: skip
    ours = [post(text, GLAD) for text in _words("abc", 12)]

    further(_lesson(finished, [post("new", GRAVE), ours[0]]), _material(ours), tmp_path)

    assert [epoch[:2] for epoch in shown] == [["new", ours[0].text]] * 3
    others = [text for epoch in shown for text in epoch[2:]]
    assert len(others) == 12
    assert {*others} == {post.text for post in ours[1:]}


def test_events_stay_whole_and_no_post_is_rehearsed_twice_before_all_were() -> None:
    posts = [post(f"{lang} {event}", GLAD, scenario=str(event))
             for event in range(50) for lang in ("en", "pl", "lt", "hr")]  # fmt: skip
    rounds = Rounds(posts, "a")

    parts = [rounds.part(number, 42) for number in range(4)]

    for part in parts:
        assert 39 <= len(part) <= 45
        told = [post.scenario for post in part]
        assert {told.count(event) for event in told} == {4}
    texts = [post.text for part in parts for post in part]
    assert len(texts) == len({*texts})
    assert {post.text for number in range(5) for post in rounds.part(number, 42)} == {
        post.text for post in posts
    }
    assert Rounds(posts, "a").part(1, 42) == parts[1] != Rounds(posts, "b").part(1, 42)
    assert len(rounds.part(3, 1_000)) == len(posts)


def _line(**change: object) -> str:
    label = {"sentiment": "negative", "severity": "medium", "categories": ["product"]}
    record = {"text": "It broke.", "lang": "en", **label, "evidence": [], "kind": "review",
              "trap": None, "plain": False, "split": "train", "scenario": "1",
              "readings": [label]}  # fmt: skip
    return json.dumps(record | change) + "\n"


def test_a_lesson_is_read_and_told_in_the_model(tmp_path: Path) -> None:
    file = tmp_path / "corrections.jsonl"
    file.write_text(_line() + _line(split="test") + _line(split="dev"))
    student = {"epochs": 3, "teacher": "neural-1+12345678"}
    before = {"layers": 1, "licences": ["D"], "student": student}
    first = write_model(tmp_path / "first", training=before)

    lesson = read_lesson(first, file)
    origin = lesson.origin(["A", "B"], 3)
    second = write_model(tmp_path / "second", training={"layers": 1, **origin})
    again = read_lesson(second, file).origin(["A"], 3)

    names = [NeuralJudge(load_model(folder)).name for folder in (first, second)]
    learned = {"new": hashlib.sha256(file.read_bytes()).hexdigest(), "posts": 1, "epochs": 3,
               "share": going_on.SHARE}  # fmt: skip
    assert (len(lesson.posts), lesson.left) == (1, 2)
    assert origin == {"licences": ["A", "B", "D"], "student": student,
                      "after": [{"model": names[0], **learned}]}  # fmt: skip
    assert again["after"] == [{"model": name, **learned} for name in names]
    assert again["licences"] == ["A", "B", "D"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (_line(split="test"), "has no post of the split train"),
        (_line(readings=[]), "line 1: nobody has read it"),
        ("\n" + _line(text=None), "line 2: `text` is a string"),
        ("[]", "line 1: not a JSON object"),
        ("\x1f\x8b", "codec can't decode|gzip|end-of-stream"),
        (None, "No such file"),
    ],
)
def test_a_file_without_a_lesson_is_told(tmp_path: Path, body: str | None, told: str) -> None:
    file = tmp_path / "new.jsonl"
    if body is not None:
        file.write_text(body, encoding="latin-1")

    with pytest.raises(GoodnameError, match=f"--new: .*(?:{told})"):
        read_lesson(write_model(tmp_path / "model"), file)


def test_the_model_of_the_start_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["neural", "--data", ".", "--start", str(SHIPPED), "--new", "a"]
    )

    with pytest.raises(SystemExit):
        main()

    assert "would replace the model of --start" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("one", "needs"),
    [("--start", "needs --new (posts for it) or --layers 6 or 4"), ("--new", "needs --start")],
)
def test_a_start_and_its_new_posts_need_each_other(
    one: str, needs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["neural", "--data", ".", one, "."])

    with pytest.raises(SystemExit):
        main()

    assert needs in capsys.readouterr().err
