"""Figures of a judge that grades by words, so that each can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from core.types import Category, Sentiment, Severity
from sentiment.evaluate.goals import goal_files, results
from sentiment.evaluate.labelled import DataError, DataSet, Labelled
from sentiment.evaluate.markdown import markdown
from sentiment.evaluate.plots import write_plots
from sentiment.evaluate.report import JudgeReport, report
from sentiment.evaluate.tables import Table, goals_tables, judge_tables
from sentiment.judge import Judgement
from tests.pipeline.judges import WordJudge

NEGATIVE, NEUTRAL, POSITIVE = Sentiment


def labelled(
    text: str,
    sentiment: Sentiment | None = NEGATIVE,
    severity: Severity | None = None,
    *,
    lang: str = "en",
    scenario: str | None = None,
    plain: bool = False,
) -> Labelled:
    categories = None if severity is None else frozenset({Category.PRODUCT} if severity else ())
    return Labelled(text=text, lang=lang, sentiment=sentiment, severity=severity, plain=plain,
                    categories=categories, scenario=scenario, trap=None)  # fmt: skip


def data_set(
    *texts: Labelled,
    name: str = "posts",
    answers: Sequence[Sentiment] = tuple(Sentiment),
    is_parallel: bool = False,
) -> DataSet:
    said = {text.lang: tuple(answers) for text in texts}
    return DataSet(name=name, texts=texts, answers=said, skipped=0, is_parallel=is_parallel)


OWN = data_set(
    labelled("fire", NEGATIVE, Severity.CRITICAL, plain=True),
    labelled("fraud", NEGATIVE, Severity.CRITICAL),
    labelled("fire in the stove, lovely", POSITIVE, Severity.NONE),
    labelled("thanks", POSITIVE, Severity.NONE),
    labelled("broken", NEGATIVE, Severity.MEDIUM),
    labelled("it never came", NEGATIVE, Severity.MEDIUM, plain=True),
)
PARALLEL = data_set(
    *(labelled("fire", NEGATIVE, Severity.CRITICAL, lang=lang, scenario="1") for lang in "abc"),
    *(
        labelled(text, NEGATIVE, Severity.MEDIUM, lang=lang, scenario="2")
        for text, lang in (("broken", "a"), ("broken", "b"), ("fraud", "c"))
    ),
    labelled("alone", NEUTRAL, Severity.NONE, lang="a", scenario="3"),
    name="posts (parallel)",
    is_parallel=True,
)


@pytest.fixture(scope="module")
def found() -> JudgeReport:
    return report(WordJudge(), [OWN, PARALLEL])


def test_severity_is_counted_with_recall_and_precision_of_critical(found: JudgeReport) -> None:
    severity = found.languages[0].severity
    assert severity is not None
    assert (severity.critical_recall.hits, severity.critical_recall.total) == (1, 2)
    assert (severity.critical_precision.hits, severity.critical_precision.total) == (1, 2)
    assert (severity.alarm_recall.hits, severity.alarm_recall.total) == (2, 2)
    assert (severity.false_alarms.hits, severity.false_alarms.total) == (1, 2)
    assert severity.accuracy == pytest.approx(3 / 6)
    # F1: none 1/2, medium 2/3, critical 1/2; low and high never occur.
    assert severity.macro_f1 == pytest.approx((2 / 4 + 2 / 3 + 2 / 4) / 3)
    assert severity.confusion[4] == (0, 0, 0, 1, 1)


def test_sentiment_and_categories_are_counted(found: JudgeReport) -> None:
    part = found.languages[0]
    assert part.sentiment is not None
    assert part.categories is not None
    assert part.sentiment.confusion == ((3, 0, 1), (0, 0, 0), (1, 0, 1))
    assert part.sentiment.accuracy == pytest.approx(4 / 6)
    assert part.categories.micro_f1 == pytest.approx(2 * 3 / (4 + 4))
    assert part.sentiment.calibration.error > 0.2  # it is always certain


def test_plain_complaints_are_counted_apart(found: JudgeReport) -> None:
    plain = found.languages[0].plain
    assert plain is not None
    assert (plain.rows, plain.severity.hits, plain.alarm.hits) == (2, 1, 1)
    assert found.languages[0].traps is None


def test_deleting_the_evidence_lowers_the_grade(found: JudgeReport) -> None:
    evidence = found.languages[0].evidence
    assert evidence is not None
    assert (evidence.graded, evidence.lowered.hits, evidence.with_evidence.hits) == (4, 4, 4)
    assert evidence.covered == pytest.approx((1 + 1 + 4 / 25 + 1) / 4)


class StubbornJudge(WordJudge):
    """Names evidence that has nothing to do with its grade."""

    name = "stubborn"

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        [fire] = super().__call__(["fire"])
        return [fire for _ in texts]


def test_evidence_that_causes_nothing_is_found_out() -> None:
    [part] = report(StubbornJudge(), [OWN]).languages
    assert part.evidence is not None
    assert (part.evidence.graded, part.evidence.lowered.hits) == (6, 0)
    assert part.evidence.less_likely.hits == 0


def test_the_same_facts_are_compared_between_languages(found: JudgeReport) -> None:
    agreed = {a.languages: a for a in found.parallel["posts (parallel)"]}
    assert next(iter(agreed)) == ("a", "b", "c")
    shares = {languages: (a.severity.hits, a.severity.total) for languages, a in agreed.items()}
    assert shares == {("a", "b", "c"): (1, 2), ("a", "b"): (2, 2), ("a", "c"): (1, 2),
                      ("b", "c"): (1, 2)}  # fmt: skip
    assert agreed["a", "c"].near.hits == 2


class TornJudge(WordJudge):
    """Says "neutral", and holds "positive" for the next likely."""

    name = "torn"

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        [meek] = super().__call__(["thanks"])
        likely = {NEGATIVE: 0.1, NEUTRAL: 0.6, POSITIVE: 0.3}
        values = {name: getattr(meek, name) for name in meek.__dataclass_fields__}
        torn = Judgement(**{**values, "sentiment": NEUTRAL, "sentiment_p": likely})
        return [torn for _ in texts]


def test_a_set_with_two_labels_asks_a_two_way_question() -> None:
    two = data_set(labelled("a", POSITIVE), labelled("b"), answers=(NEGATIVE, POSITIVE))
    [part] = report(TornJudge(), [two]).languages
    assert part.sentiment is not None
    assert part.sentiment.labels == ("negative", "positive")
    assert part.sentiment.confusion == ((0, 1), (0, 1))
    assert part.sentiment.calibration.bins[0].confidence == pytest.approx(0.75)
    three = data_set(labelled("a", POSITIVE), labelled("b"))
    [part] = report(TornJudge(), [three]).languages
    assert part.sentiment is not None
    assert part.sentiment.accuracy == 0.0
    assert part.severity is part.evidence is part.categories is None


def test_languages_are_never_pooled() -> None:
    pole = labelled("fire", POSITIVE, lang="pl")
    mixed = data_set(labelled("fire"), pole, name="umsab")
    parts = report(WordJudge(), [mixed]).languages
    assert [(p.lang, p.sentiment and p.sentiment.accuracy) for p in parts] == [
        ("en", 1.0),
        ("pl", 0.0),
    ]


def test_a_goal_is_met_or_missed(found: JudgeReport) -> None:
    told = {(r.data, r.lang, r.what): r for r in results(found)}
    assert told["posts", "en", "recall of critical"].is_met is False
    assert told["posts", "en", "grade falls without its evidence"].is_met is True
    assert told["posts (parallel)", "a b", "same severity"].is_met is True
    six = [data_set(*(labelled("fire", lang=lang) for lang in ("en", "de", "fr", "it", "es", "pt")),
                    name="umsab")]  # fmt: skip
    umsab = results(report(WordJudge(), six))
    assert [(r.lang, r.is_met) for r in umsab][-2:] == [
        ("pt", None),
        ("mean of the languages", True),
    ]


def test_the_sets_with_a_goal_are_all_needed(tmp_path: Path) -> None:
    (tmp_path / "umsab.jsonl.gz").touch()
    with pytest.raises(DataError, match="without the data sets polemo2_text, polemo2_sentence, en"):
        goal_files(tmp_path)


def test_every_table_is_whole_and_stays_a_table_in_markdown(found: JudgeReport) -> None:
    tables = [*goals_tables([found, found]), *judge_tables(found)]
    assert len(tables) == 11
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title
        assert markdown(table).count("\n|") == len(table.rows) + 2
    odd = Table(title="t", columns=("a|b", "c"), rows=(("x\n|y", "<b>\\"),), names=1)
    assert markdown(odd).splitlines()[2:] == [
        "| a\\|b | c |", "| --- | ---: |", "| x \\|y | &lt;b>\\\\ |"
    ]  # fmt: skip


def test_a_goal_says_of_how_many_texts_each_judge_is_measured(found: JudgeReport) -> None:
    alarmed = data_set(*(labelled("fire", NEGATIVE, Severity.CRITICAL) for _ in range(5)))
    other = replace(report(WordJudge(), [alarmed]), judge="other")
    (table,) = goals_tables([found, other])
    told = {row[2]: row[3] for row in table.rows if row[0] == "posts"}
    assert told["precision of critical"] == "2 / 5"
    (alone,) = goals_tables([found, found])
    assert {row[3] for row in alone.rows if row[2] == "precision of critical"} == {"2"}


def test_plots_are_pictures_of_what_there_is(found: JudgeReport, tmp_path: Path) -> None:
    odd = replace(found, judge="<script>&\0\ud800")
    written = write_plots([found, odd], tmp_path)
    assert [path.name for path in written] == [
        "f1.svg", "sentiment-confusion-1.svg", "severity-confusion-1.svg", "reliability-1.svg",
        "sentiment-confusion-2.svg", "severity-confusion-2.svg", "reliability-2.svg",
    ]  # fmt: skip
    for path in written:
        drawn = etree.fromstring(path.read_bytes())
        assert not list(drawn.iter("{*}script"))
    words = ["".join(text.itertext()) for text in etree.parse(written[0]).iter("{*}text")]
    assert "posts en: severity" in words
    assert "0.56" in words
    counts = ["".join(text.itertext()) for text in etree.parse(written[1]).iter("{*}text")]
    assert counts.count("negative") == 2 * 4  # a row and a column in each of four panels
    assert write_plots([JudgeReport(judge="x", languages=(), parallel={})], tmp_path) == []
