"""The model card: where the model comes from, how well it does, and what it cannot do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from sentiment.judge import Judge
from sentiment.training.corpora import Row, balanced, data_sets, read_rows, split_of
from sentiment.training.figures import general_figures, post_figures
from sentiment.training.posts import LabelledPost

EVALUATED = 150  #: rows for each language and label of a public set
COLUMNS = (
    "sentiment_f1", "severity_f1", "grave_recall", "critical_recall", "false_alarms",
    "grave_auc", "category_f1",
)  # fmt: skip

Report = dict[str, Any]


def about(
    judge: Judge, digest: str, posts: Sequence[LabelledPost], folder: Path, licences: Sequence[str]
) -> Report:
    """All figures of the card, as JSON values."""
    test = [post for post in posts if post.split == "test"]
    groups = {lang: [p for p in test if p.lang == lang] for lang in ("en", "pl", "lt", "hr")}
    groups["traps"] = [p for p in test if p.trap]
    groups["all but traps"] = [p for p in test if not p.trap]
    groups["all"] = test
    sets = [s for s in data_sets(folder) if s.kind == "sentiment"]
    rows: list[Row] = []
    for data_set in sets:
        rows += balanced(split_of(read_rows(folder, data_set.name), "test"), cap=EVALUATED)
    return {
        "sha256": digest,
        "trained_on": {
            s.name: s.licence_class
            for s in data_sets(folder)
            if s.licence_class in licences
            and (s.kind == "sentiment" or s.name in ("cmp_en_cfpb", "sev_en_complaints_twitter"))
        },
        "posts": {
            split: sum(p.split == split for p in posts) for split in ("train", "dev", "test")
        },
        "own_test": {name: post_figures(judge, group) for name, group in groups.items() if group},
        "public_test": general_figures(judge, rows),
    }


def figures_table(report: Report) -> Table:
    """The figures on our own test posts, for the terminal."""
    table = Table(title="posts that the judge never saw")
    table.add_column("")
    table.add_column("posts", justify="right")
    for column in COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for name, figures in report["own_test"].items():
        table.add_row(name, str(figures["posts"]), *(f"{figures[c]:.2f}" for c in COLUMNS))
    return table


def public_table(report: Report) -> Table:
    """Sentiment on the public sets, for the terminal."""
    table = Table(title="sentiment on public test parts")
    for column in ("data set / language", "rows", "macro-F1", "false alarms"):
        table.add_column(column)
    for name, figures in report["public_test"].items():
        shares = (f"{figures[column]:.2f}" for column in ("macro_f1", "false_alarms"))
        table.add_row(name, str(figures["rows"]), *shares)
    return table


def write_card(report: Report, path: Path) -> None:
    """Write the card in Markdown."""
    head = " | ".join(column.replace("_", " ") for column in COLUMNS)
    own = "\n".join(
        f"| {name} | {f['posts']} | " + " | ".join(f"{f[c]:.2f}" for c in COLUMNS) + " |"
        for name, f in report["own_test"].items()
    )
    public = "\n".join(
        f"| {name} | {f['rows']} | {f['macro_f1']:.2f} | {f['false_alarms']:.2f} |"
        for name, f in report["public_test"].items()
    )
    sets = ", ".join(f"{name} ({licence})" for name, licence in report["trained_on"].items())
    posts = report["posts"]
    path.write_text(
        _CARD.format(
            digest=report["sha256"], head=head, rule="--- | " * len(COLUMNS), own=own,
            public=public, sets=sets, learned=posts["train"] + posts["dev"], test=posts["test"],
            smallest=min(f["posts"] for f in report["own_test"].values()),
        ),
        encoding="utf-8",
    )  # fmt: skip


_CARD = """# The linear judge

SHA-256 of `model.npz`: `{digest}`

One linear model over hashed character n-grams (3 to 5, within words). It needs numpy only, and it
is the baseline that every later judge has to beat. Written by
`python -m sentiment.training.linear`; do not edit.

## What it learned from
- Sentiment: samples of public data sets, named here with their licence class (A permissive, B
  share-alike, D tweets or nothing stated, ? unclear at the source). None of their text is in this
  repository: {sets}.
- Severity and categories: our own invented posts in `sentiment/training/data`
  ({learned} to learn from; it is calibrated on what folds of them say that had not learned them;
  {test} never seen and used for the figures).

## Figures on our own test posts
Sentiment and severity: macro-F1. Grave: high or critical. Recall: share of them that are given at
least high. False alarms: share of the posts of level none or low that are given at least high.
Some of the mild posts are traps (praise in scary words, negated, refuted or resolved
complaints, another brand blamed).

| | posts | {head} |
| --- | --- | {rule}
{own}

## Sentiment on the test parts of public sets (macro-F1)
Balanced samples of at most {evaluated} rows for each label, so not comparable with the literature.
A set without a neutral class is a two-way question. False alarms: share of the rows not labelled
negative that are given at least high; these are ordinary texts, hardly any about a brand.

| data set / language | rows | macro-F1 | false alarms |
| --- | --- | --- | --- |
{public}

## Limits
- It knows pieces of words, not sentences: negation, irony and who did what to whom are mostly lost
  on it, and a danger told in words that no training post used goes unseen.
- Its posts were written by the people who built it, about events told once in each of four
  languages; posts of one event never stand on both sides of a split. The smallest group above has
  {smallest} posts: its figures are good for some points either way. Test and training posts come
  from the same hand, and posts were added in rounds until figures were fit for use: posts from
  the world will do worse.
- Severity outside English, Polish, Lithuanian and Croatian is a guess.
- Probabilities assume that about one mention in six is grave; the decision weighs a missed grave
  post several times heavier than a needless alarm.
""".replace("{evaluated}", str(EVALUATED))
