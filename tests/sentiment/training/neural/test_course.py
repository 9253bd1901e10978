"""The stages that a training takes, and what the model says that it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from core.errors import GoodnameError  # noqa: E402
from sentiment.neural.judge import NeuralJudge  # noqa: E402
from sentiment.neural.model import load_model  # noqa: E402
from sentiment.training.neural import further as going_on  # noqa: E402
from sentiment.training.neural import stages  # noqa: E402
from sentiment.training.neural.course import Learned, shorten, take  # noqa: E402
from sentiment.training.neural.distil import DISTIL  # noqa: E402
from sentiment.training.neural.encoder import Network  # noqa: E402
from sentiment.training.neural.export import export  # noqa: E402
from sentiment.training.neural.further import Lesson  # noqa: E402
from sentiment.training.neural.stages import Material  # noqa: E402
from sentiment.training.posts import FILES  # noqa: E402
from tests.sentiment.networks import write_model  # noqa: E402
from tests.sentiment.training.neural.small import (  # noqa: E402
    DRY,
    GLAD,
    GRAVE,
    SMALL,
    TOKENIZER,
    post,
    public,
)

OURS = [path.stem for path in FILES]


@pytest.fixture(autouse=True)
def small_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of a few numbers in place of the published one, and no compiler."""

    def start(*_: object, **__: object) -> tuple[Network, object]:
        torch.manual_seed(1)
        return Network(SMALL), TOKENIZER

    monkeypatch.setattr(stages, "begin", start)
    monkeypatch.setattr(going_on, "read_finished", start)
    for module in ("fit", "distil"):
        monkeypatch.setattr(f"sentiment.training.neural.{module}.fuse", lambda _: None)


@pytest.fixture
def material() -> Material:
    texts = [public("good and cheap all the year", 2), public("late again and no word", 0)]
    return Material(
        wide=texts, near=texts, public_dev=texts, parallel=[],
        posts=[
            post("it burned my hand", GRAVE), post("lovely people", GLAD),
            post("open on sunday", DRY),
        ],
        posts_dev=[post("it caught fire", GRAVE, split="dev")],
        wide_of={"licences": "A"}, near_of={"licences": "A"},
        posts_of={"posts": "1"},
    )  # fmt: skip


def _stages(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.pt")}


def _finished(folder: Path, *, seed: int = 1, **about: Any) -> Path:
    """The folder of a finished model of two layers."""
    write_model(folder, **about)
    torch.manual_seed(seed)
    export(Network(SMALL), folder / "model.onnx", length=256)
    TOKENIZER.save(str(folder / "tokenizer.json"))
    return folder


def _weights(learned: Learned) -> list[float]:
    return [float(part.detach().sum()) for part in learned.network.parameters()]


@pytest.mark.parametrize(("epochs", "shown"), [(None, 4), (3, 3)])
def test_a_course_takes_two_stages_and_goes_on_where_it_was(
    material: Material, tmp_path: Path, epochs: int | None, shown: int
) -> None:
    learned = take(material, tmp_path, licences=("A", "B"), layers=2, epochs=epochs)
    again = take(material, tmp_path, licences=("A", "B"), layers=2, epochs=epochs)

    assert _stages(tmp_path) == {"general", "own"}
    assert learned.origin == {
        "licences": ["A", "B"], "posts": OURS, "epochs": shown, "public": {"far": 2}
    }  # fmt: skip
    assert _weights(again) == _weights(learned)
    assert (tmp_path / "own.log").read_text().count(" epoch ") == shown


def test_a_student_follows_the_course(material: Material, tmp_path: Path) -> None:
    learned = take(material, tmp_path, licences=("A",), layers=1, epochs=1)

    assert _stages(tmp_path) == {"general", "own", "student1"}
    assert len(learned.network.stack) == 1
    assert learned.origin["student"] == {"epochs": DISTIL.epochs}


@pytest.mark.parametrize(("asked", "shown"), [({}, DISTIL.epochs), ({"epochs": 2}, 2)])
def test_a_finished_model_teaches_a_student(
    material: Material, tmp_path: Path, asked: dict[str, int], shown: int
) -> None:
    before = {"layers": 2, "licences": ["D"], "epochs": 6, "posts": ["posts"], "after": [],
              "public": {"near": 9}}  # fmt: skip
    teacher = _finished(tmp_path / "teacher", training=before)
    name = NeuralJudge(load_model(teacher), threads=1).name
    work = tmp_path / "work"
    work.mkdir()

    learned = shorten(teacher, material, work, licences=("A",), layers=1, **asked)

    assert _stages(work) == {"student1"}
    assert (work / "student1.log").read_text().count(" epoch ") == shown
    assert len(learned.network.stack) == 1
    assert learned.origin == {
        "licences": ["A", "D"],
        "posts": OURS,
        "epochs": 6,
        "after": [],
        "public": {"near": 9},
        "student": {"epochs": shown, "teacher": name},
    }


def test_a_student_of_another_teacher_or_with_all_its_layers_is_refused(
    material: Material, tmp_path: Path
) -> None:
    teacher = _finished(tmp_path / "teacher", seed=1)
    other = _finished(tmp_path / "other", seed=2)
    shorten(teacher, material, tmp_path, licences=("A",), layers=1, epochs=1)

    with pytest.raises(GoodnameError, match="teacher"):
        shorten(other, material, tmp_path, licences=("A",), layers=1, epochs=1)
    with pytest.raises(GoodnameError, match="has 2 layers already"):
        shorten(teacher, material, tmp_path, licences=("A",), layers=2)


@pytest.mark.parametrize(("epochs", "shown"), [(None, 5), (2, 2)])
def test_a_lesson_is_one_stage_of_five_epochs_or_as_many_as_asked(
    material: Material, tmp_path: Path, epochs: int | None, shown: int
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (start / name).touch()
    lesson = Lesson(start=start, model="neural-1+0", before={"licences": ["D"]},
                    posts=[post("new words", GLAD)], left=0, sha256="ab")  # fmt: skip

    learned = take(material, tmp_path, licences=("A",), layers=2, epochs=epochs, lesson=lesson)

    assert _stages(tmp_path) == {"further"}
    assert (tmp_path / "further.log").read_text().count(" epoch ") == shown
    assert learned.origin == {
        "licences": ["A", "D"],
        "posts": OURS,
        "after": [
            {
                "model": "neural-1+0",
                "new": "ab",
                "posts": 1,
                "epochs": shown,
                "share": going_on.SHARE,
            }
        ],
    }
