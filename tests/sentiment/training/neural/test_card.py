"""The model card: figures of this very model, or an error that says what to do."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import load_model
from sentiment.training.neural.card import card, main
from sentiment.training.posts import FILES, POSTS, read_posts
from tests.sentiment.networks import write_model

GOALS = """## Goals

| data set | language | figure | of | goal | judge |
| --- | --- | --- | ---: | ---: | ---: |
| posts | en | severity macro-F1 | 12 | ≥ 0.70 | 0.712 ✓ |

✓ reached, ✗ missed.
"""
OTHER = "neural-1+00000000"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "model"
    return write_model(folder, training={"layers": 1, "licences": ["A", "B"]})


@pytest.fixture(scope="module")
def name(model: Path) -> str:
    return NeuralJudge(load_model(model), threads=1).name


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An index of three sets, one of them of a class that the model did not learn from."""
    folder = tmp_path / "data"
    folder.mkdir()
    sets = [("reviews", "sentiment", "A"), ("tweets", "sentiment", "D"), ("insults", "topic", "A")]
    index = [{"name": n, "kind": kind, "licence_class": of} for n, kind, of in sets]
    (folder / "index.json").write_text(json.dumps(index))
    for n, _, _ in sets:
        (folder / f"{n}.jsonl.gz").touch()
    return folder


def _report(folder: Path, *judges: str, split: str = "test", goals: str = GOALS) -> Path:
    folder.mkdir()
    document = {"split": split, "judges": [{"judge": judge} for judge in judges]}
    (folder / "report.json").write_text(json.dumps(document))
    page = f"# Figures\n\nSplit: `{split}`.\n\n{goals}\n## {judges[0]}\n\n### Severity\n"
    (folder / "report.md").write_text(page, encoding="utf-8")
    return folder


def _run(monkeypatch: pytest.MonkeyPatch, **options: Path) -> None:
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    monkeypatch.setattr(sys, "argv", ["card", *words])
    main()


def test_the_card_holds_the_goals_and_says_what_was_learned_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path, model: Path, name: str
) -> None:
    report = _report(tmp_path / "report", name, "linear-2+11111111")

    _run(monkeypatch, model=model, report=report, data=data)

    page = (model / "README.md").read_text(encoding="utf-8")
    assert f"Judges: {name}, linear-2+11111111." in page
    assert "| posts | en | severity macro-F1 | 12 | ≥ 0.70 | 0.712 ✓ |" in page
    assert "### Severity" not in page
    assert "reviews (A)." in page
    assert "tweets (D)" not in page
    assert "insults" not in page
    size = f"{(model / 'model.onnx').stat().st_size:,}".replace(",", " ")
    assert f"| `model.onnx` | {size} |" in page
    assert "## Limits" in page
    assert NeuralJudge(load_model(model), threads=1).name == name


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"goals": ""}, "a report without the goals"),
        ({"split": "dev"}, "figures of the split 'dev'"),
    ],
)
def test_a_report_of_other_texts_is_refused(
    tmp_path: Path, data: Path, model: Path, name: str, change: dict[str, Any], complaint: str
) -> None:
    report = _report(tmp_path / "report", name, **change)
    with pytest.raises(GoodnameError, match=f"{complaint}.*goodname evaluate DATA --goals"):
        card(model, report, data)


def test_a_report_of_another_model_is_one_line_and_leaves_the_card_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path, name: str
) -> None:
    training = {"layers": 1, "licences": ["A", "B"]}
    model = write_model(tmp_path / "model", training=training)
    (model / "README.md").write_text("the card of before")
    with pytest.raises(SystemExit) as stopped:
        _run(monkeypatch, model=model, report=_report(tmp_path / "report", OTHER), data=data)
    told = str(stopped.value.code)
    assert told.startswith("error: ")
    assert OTHER in told
    assert name in told
    assert "\n" not in told
    assert (model / "README.md").read_text() == "the card of before"


@pytest.mark.parametrize("damage", ["no report.json", "no report.md", "garbage", "list"])
def test_what_is_no_report_is_refused(
    tmp_path: Path, data: Path, model: Path, name: str, damage: str
) -> None:
    report = _report(tmp_path / "report", name)
    if damage.startswith("no "):
        (report / damage.removeprefix("no ")).unlink()
    else:
        (report / "report.json").write_text({"garbage": "{", "list": "[]"}[damage])
    with pytest.raises(GoodnameError, match="write it with: goodname evaluate"):
        card(model, report, data)


def test_a_folder_without_an_index_is_refused(tmp_path: Path, model: Path, name: str) -> None:
    report = _report(tmp_path / "report", name)
    with pytest.raises(GoodnameError, match=r"index\.json; see docs/training\.md"):
        card(model, report, tmp_path / "nowhere")


def test_a_model_that_says_nothing_of_its_training_is_refused(
    small_folder: Path, tmp_path: Path, data: Path
) -> None:
    report = _report(tmp_path / "report", NeuralJudge(load_model(small_folder), threads=1).name)
    with pytest.raises(GoodnameError, match="does not say how the model was trained"):
        card(small_folder, report, data)


def test_the_card_names_the_models_that_this_one_went_on_from(tmp_path: Path, data: Path) -> None:
    ours = hashlib.sha256(FILES[1].read_bytes()).hexdigest()
    after = [{"model": OTHER, "new": ours, "posts": 7},
             {"model": "neural-1+11111111", "new": "ab" * 32, "posts": 3}]  # fmt: skip
    training = {"layers": 1, "licences": ["A"], "after": after}
    folder = write_model(tmp_path / "later", training=training)
    judge = NeuralJudge(load_model(folder), threads=1).name

    page = card(folder, _report(tmp_path / "report", judge), data)

    assert f"What was made so is `{OTHER}`; from there it went on" in page
    assert f"the 7 posts of `{FILES[1].name}` (SHA-256 `{ours[:12]}…`)" in page
    assert "the 3 posts of a file that is not in this repository (SHA-256 `abababababab…`)" in page


def test_a_model_beside_it_is_explained(tmp_path: Path, data: Path, model: Path, name: str) -> None:
    files = [path.stem for path in FILES]
    short = {"layers": 6, "licences": ["A", "B"], "epochs": 3, "posts": files, "float32": True}
    beside = write_model(tmp_path / "beside", training=short)
    other = NeuralJudge(load_model(beside), threads=1).name

    page = card(model, _report(tmp_path / "report", name, other), data, beside)

    assert f"Judges: {name}, {other}. `{other}` stands beside" in page
    assert "(`--licences A,B --epochs 3 --layers 6 --float32 --out FOLDER`)" in page
    alone = _report(tmp_path / "alone", name)
    with pytest.raises(GoodnameError, match=f"not of {re.escape(other)}"):
        card(model, alone, data, beside)
    with pytest.raises(GoodnameError, match="that is this very model"):
        card(model, alone, data, model)
    of_beside = card(beside, _report(tmp_path / "other", other), data)
    assert "our own invented posts, in 3 epochs" in of_beside
    assert "float32 weights" in of_beside
    assert "int8 weights" in page
    assert "in an earlier, longer course" in card(model, alone, data)


def test_a_model_beside_it_that_had_lessons_has_no_recipe_of_one_command(
    tmp_path: Path, data: Path, model: Path, name: str
) -> None:
    lesson = {"model": OTHER, "new": "ab" * 32, "posts": 3, "epochs": 4}
    after = [lesson, lesson | {"share": 0.7}]
    training = {"layers": 12, "licences": ["A"], "after": after}
    beside = write_model(tmp_path / "beside", training=training)
    other = NeuralJudge(load_model(beside), threads=1).name

    page = card(model, _report(tmp_path / "report", name, other), data, beside)

    assert "in an earlier, longer course. What was made so is `neural-1+00000000`" in page
    assert "in 4 epochs." in page
    assert "in 4 epochs, its weights 70% of the way to where that ended." in page
    assert "--out FOLDER" not in page


def test_a_model_that_says_half_of_its_training_is_refused(tmp_path: Path, data: Path) -> None:
    folder = write_model(tmp_path / "half", training={"layers": 12})
    judge = NeuralJudge(load_model(folder), threads=1).name
    with pytest.raises(GoodnameError, match="does not say how the model was trained"):
        card(folder, _report(tmp_path / "report", judge), data)


def test_the_card_counts_the_posts_that_the_model_has_seen(tmp_path: Path, data: Path) -> None:
    pages = []
    for files in (["posts"], [path.stem for path in FILES]):
        training = {"layers": 1, "licences": ["A"], "posts": files}
        folder = write_model(tmp_path / str(len(files)), training=training)
        judge = NeuralJudge(load_model(folder), threads=1).name
        pages.append(card(folder, _report(tmp_path / f"report{len(files)}", judge), data))

    learned = [re.search(r"train .*?en (\d+)", page) for page in pages]

    assert "`posts.jsonl`: train" in pages[0]
    assert f"`posts.jsonl`, {', '.join(f'`{path.name}`' for path in FILES[1:])}: train" in pages[1]
    first, all_of_them = (int(found[1]) for found in learned if found)
    assert first == sum(p.lang == "en" and p.split == "train" for p in read_posts(POSTS))
    assert all_of_them == sum(p.lang == "en" and p.split == "train" for p in read_posts())


def test_the_card_names_the_posts_by_which_the_outputs_are_understood(
    tmp_path: Path, data: Path, model: Path, name: str
) -> None:
    training = {"layers": 1, "licences": ["A"]}
    fitted = {"posts": 2152, "sha256": "cd" * 32}
    folder = write_model(tmp_path / "fitted", training=training, fitted=fitted)
    judge = NeuralJudge(load_model(folder), threads=1).name

    page = card(folder, _report(tmp_path / "report", judge), data)

    assert "fitted, by 2 152 (SHA-256 of these and their labels `cdcdcdcdcdcd…`)" in page
    assert "fitted, by" not in card(model, _report(tmp_path / "older", name), data)


@pytest.mark.parametrize(
    ("student", "of"),
    [({"epochs": 2, "teacher": OTHER}, f"`{OTHER}`"), ({"epochs": 3}, "the network of 12")],
)
def test_the_card_of_a_student_names_its_teacher(
    tmp_path: Path, data: Path, student: dict[str, Any], of: str
) -> None:
    training = {"layers": 6, "licences": ["A"], "student": student}
    model = write_model(tmp_path / "student", training=training)
    name = NeuralJudge(load_model(model), threads=1).name

    page = card(model, _report(tmp_path / "report", name), data)

    epochs = student["epochs"]
    assert f"learned what {of}" in page
    assert f"says of our posts and of public texts (epochs: {epochs})." in page


def test_the_card_names_the_sets_that_were_read_and_no_others(tmp_path: Path, data: Path) -> None:
    name = json.loads((data / "index.json").read_text())[0]["name"]
    training = {"layers": 1, "licences": ["A", "B", "D"], "public": {name: 1200, "gone": 7}}
    model = write_model(tmp_path / "model", training=training)
    judge = NeuralJudge(load_model(model), threads=1).name

    page = card(model, _report(tmp_path / "report", judge), data)

    listed = page.split("? unclear at the source): ")[1].split(".\n")[0]
    assert re.fullmatch(rf"{name} \([A-D*?]+, 1200 texts\), gone \(\?, 7 texts\)", listed)


@pytest.mark.parametrize(
    ("training", "told"),
    [({"licences": ["A", "D"]}, True), ({"licences": ["A"]}, False),
     ({"licences": ["A", "D"], "public": {"umsab": 1}}, False)],
)  # fmt: skip
def test_the_card_of_a_model_that_may_have_seen_test_tweets_says_so(
    tmp_path: Path, data: Path, training: dict[str, Any], told: bool
) -> None:
    model = write_model(tmp_path / "model", training={"layers": 1, **training})
    judge = NeuralJudge(load_model(model), threads=1).name

    page = card(model, _report(tmp_path / "report", judge), data)

    assert ("Both figures flatter it" in page) is told
