"""What people corrected: against the judges in the API and on the page, and as training data."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import Mention, MentionJudgement, PostRow, PostVersion, Source
from core.types import Role
from pipeline.corrections import count_corrections, read_corrections
from sentiment.training.posts import read_posts
from tests.api.conftest import Ask, Customer, Visitor
from tests.api.rows import add_mention, add_post
from tests.factories import NOW

ROOT = Path(__file__).parents[2]


def correct(ask: Ask, ours: Customer, mention: Mention, **labels: str | None) -> dict[str, Any]:
    shown = show_id(Prefix.MENTION, mention.id)
    answer = ask("PATCH", f"/v1/mentions/{shown}", key=ours.keys[Role.ANALYST], json=labels)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def add_earlier(session: Session, mention: Mention, **given: Any) -> None:
    """What an earlier judge said, as a rejudgement leaves it."""
    defaults: dict[str, Any] = {
        "post_version": mention.post_version,
        "judge": "words-1",
        "language": "en",
        "sentiment": "neutral",
        "severity": 4,
        "judged_at": mention.judged_at - timedelta(days=1),
        "is_live": True,
    }
    row = MentionJudgement(
        mention_id=mention.id, workspace_id=mention.workspace_id, **(defaults | given)
    )
    session.add(row)
    session.commit()


def agreement(ask: Ask, customer: Customer, query: str = "") -> dict[str, Any]:
    answer = ask("GET", f"/v1/corrections/agreement{query}", key=customer.keys[Role.ANALYST])
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_a_person_and_every_judge_stand_side_by_side(
    ask: Ask, ours: Customer, session: Session, visitor: Visitor
) -> None:
    add_earlier(session, ours.mention)
    whole = correct(ask, ours, ours.mention, severity="critical")
    assert (whole["severity"], whole["judged"]["severity"]) == ("critical", "high")
    assert whole["correction"]["version"] == 1
    assert whole["judged"]["agrees_on_severity"] is False
    assert whole["judged"]["agrees_on_sentiment"] is None
    (before,) = whole["judged_before"]
    assert (before["judge"], before["severity"]) == ("words-1", "critical")
    assert before["agrees_on_severity"] is True
    visitor.log_in(ours.keys[Role.OWNER])
    page = visitor.get(f"/mentions/{whole['id']}").text
    table = page.split('class="opinions"')[1].split("</table>")[0]
    assert "a person" in table
    assert table.index("linear-test") < table.index("words-1")
    assert table.count("not as the person") == 1


def test_the_agreement_counts_each_judge_on_the_same_mentions(
    ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    other = add_mention(session, ours.brand, add_post(session, source), severity=2)
    add_mention(session, ours.brand, add_post(session, source))  # nobody corrected it
    add_earlier(session, ours.mention)
    add_earlier(session, other)
    correct(ask, ours, ours.mention, severity="critical", sentiment="negative")
    correct(ask, ours, other, severity="medium")
    told = agreement(ask, ours)
    assert told["corrected"] == 2
    now, before = told["judges"]
    assert (now["judge"], before["judge"]) == ("linear-test", "words-1")
    assert now["severity"]["confusion"]["critical"]["high"] == 1
    assert (now["severity"]["agreed"], now["severity"]["compared"]) == (1, 2)
    assert (now["recall_of_critical"], before["recall_of_critical"]) == (0.0, 1.0)
    assert (now["sentiment"]["agreed"], now["sentiment"]["compared"]) == (1, 1)
    assert before["sentiment"]["confusion"]["negative"]["neutral"] == 1
    assert agreement(ask, ours, "?brand=ours-brand") == told
    assert agreement(ask, ours, "?from=2026-03-03") == {"corrected": 0, "judges": []}


def test_a_judge_is_compared_on_the_version_that_the_person_read(
    ask: Ask, ours: Customer, session: Session
) -> None:
    correct(ask, ours, ours.mention, severity="low")
    add_earlier(session, ours.mention, judge="linear-test", severity=3, sentiment="negative")
    session.refresh(ours.mention)
    ours.mention.post_version, ours.mention.severity = 2, 1
    session.commit()
    (judge,) = agreement(ask, ours)["judges"]
    assert (judge["severity"]["agreed"], judge["severity"]["compared"]) == (0, 1)
    shown = show_id(Prefix.MENTION, ours.mention.id)
    whole = ask("GET", f"/v1/mentions/{shown}", key=ours.keys[Role.ANALYST]).json()
    assert whole["judged"]["agrees_on_severity"] is None
    assert whole["judged_before"][0]["agrees_on_severity"] is False


def test_another_customer_counts_nothing_of_ours(
    ask: Ask, ours: Customer, theirs: Customer, session: Session
) -> None:
    add_earlier(session, ours.mention)
    correct(ask, ours, ours.mention, severity="critical")
    assert agreement(ask, theirs) == {"corrected": 0, "judges": []}
    shown = show_id(Prefix.MENTION, ours.mention.id)
    assert ask("GET", f"/v1/mentions/{shown}", key=theirs.keys[Role.ADMIN]).status_code == 404


def test_taking_a_correction_back_forgets_the_version_too(
    ask: Ask, ours: Customer, session: Session
) -> None:
    correct(ask, ours, ours.mention, severity="low")
    shown = show_id(Prefix.MENTION, ours.mention.id)
    key = ours.keys[Role.ANALYST]
    ask("PATCH", f"/v1/mentions/{shown}", key=key, json={"severity": None})
    session.refresh(ours.mention)
    assert (ours.mention.corrected_at, ours.mention.corrected_version) == (None, None)
    assert agreement(ask, ours)["corrected"] == 0


def test_a_word_about_an_earlier_version_is_not_taken_for_one_about_this(
    ask: Ask, ours: Customer, session: Session
) -> None:
    correct(ask, ours, ours.mention, sentiment="positive", severity="low")
    session.refresh(ours.mention)
    ours.mention.post_version = 2
    session.commit()
    back = correct(ask, ours, ours.mention, severity=None)
    assert (back["correction"]["sentiment"], back["correction"]["version"]) == ("positive", 1)
    whole = correct(ask, ours, ours.mention, severity="critical")
    said = whole["correction"]
    assert (said["sentiment"], said["severity"], said["version"]) == (None, "critical", 2)
    assert whole["sentiment"] == "negative"
    (judge,) = agreement(ask, ours)["judges"]
    assert (judge["sentiment"]["compared"], judge["severity"]["compared"]) == (0, 1)
    both = correct(ask, ours, ours.mention, sentiment="neutral")["correction"]
    assert (both["sentiment"], both["severity"], both["version"]) == ("neutral", "critical", 2)


def export(url: str, workspace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GOODNAME_")}
    return subprocess.run(
        [sys.executable, "-m", "goodname", "corrections", *arguments],
        cwd=ROOT,
        env=env | {"DATABASE_URL": url, "GOODNAME_WORKSPACE__NAME": workspace},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_export_is_training_data_of_our_own_format_without_a_person(
    ask: Ask, ours: Customer, theirs: Customer, session: Session, database_url: str, tmp_path: Path
) -> None:
    correct(ask, ours, ours.mention, severity="none", sentiment="neutral")
    correct(ask, theirs, theirs.mention, severity="critical")
    packed = tmp_path / "out.jsonl.gz"
    ran = export(database_url, "ours", "export", "--out", str(packed))
    assert ran.returncode == 0, ran.stderr
    assert "1 corrections written" in ran.stderr.replace("\n", " ")
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    (line,) = [json.loads(one) for one in plain.read_text("utf-8").splitlines()]
    (post,) = read_posts(plain)
    assert (post.severity.label, post.sentiment, post.categories) == (
        "none",
        "neutral",
        frozenset(),
    )
    assert line["text"].startswith("The parcel never came\n\ncanary-ours")
    assert line["given"] == ["sentiment", "severity"]
    assert (line["judge"], line["judged_severity"]) == ("linear-test", "high")
    assert line["mention_id"] == show_id(Prefix.MENTION, ours.mention.id)
    assert "Ana K." not in plain.read_text("utf-8")
    assert "board.example" not in plain.read_text("utf-8")
    assert set(tmp_path.iterdir()) == {packed, plain}
    told = export(database_url, "ours", "agreement", "--json")
    assert json.loads(told.stdout)["corrected"] == 1
    for nowhere in (tmp_path / "no" / "out", tmp_path, Path("/dev/full")):
        lost = export(database_url, "ours", "export", "--out", str(nowhere))
        assert (lost.returncode, "cannot write" in lost.stderr) == (1, True), lost.stderr
        assert "Traceback" not in lost.stderr
    assert Path("/dev/full").is_char_device()


def rows(session: Session, ours: Customer) -> list[dict[str, Any]]:
    return list(read_corrections(session, Mention.workspace_id == ours.workspace.id))


def test_the_text_and_the_judges_word_are_those_that_the_person_saw(
    ask: Ask, ours: Customer, session: Session
) -> None:
    text = "The parcel never came\n\ncanary-ours parcel lost by Voltano"
    span = {"start": text.index("parcel lost"), "end": text.index(" by Voltano")}
    session.get_one(Mention, ours.mention.id).reasons = [
        {"because": "x", "category": None, "spans": [span], "weight": 1.0}
    ]
    session.commit()
    correct(ask, ours, ours.mention, severity="critical")
    (line,) = rows(session, ours)
    assert (line["text"], line["evidence"]) == (text, ["parcel lost"])
    assert (line["given"], line["sentiment"], line["categories"]) == (
        ["severity"], "negative", ["delivery"],
    )  # fmt: skip
    mention = session.get_one(Mention, ours.mention.id, populate_existing=True)
    add_earlier(
        session, mention, judge="linear-test", severity=3, sentiment="negative",
        categories=["delivery"], reasons=mention.reasons,
    )  # fmt: skip
    post = session.get_one(PostRow, mention.post_id)
    session.add(
        PostVersion(
            post_id=post.id,
            version=1,
            title=post.title,
            text=post.text,
            content_hash=b"x",
            seen_at=NOW,
        )
    )
    post.text, post.title, post.version = "all is well now", None, 2
    mention.post_version, mention.severity, mention.reasons = 2, 0, []
    session.commit()
    session.expire_all()
    assert rows(session, ours) == [line]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"severity": "none"}, ("negative", "none", [])),
        ({"sentiment": "positive"}, ("positive", "high", ["delivery"])),
    ],
)
def test_what_the_person_left_out_is_the_judges_word(
    ask: Ask, ours: Customer, session: Session, labels: dict[str, str], expected: Any
) -> None:
    correct(ask, ours, ours.mention, **labels)
    (line,) = rows(session, ours)
    assert (line["sentiment"], line["severity"], line["categories"]) == expected
    assert line["given"] == list(labels)


def test_the_same_text_keeps_its_part_and_a_deleted_post_is_left_out(
    ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    twins = [add_mention(session, ours.brand, add_post(session, source)) for _ in range(2)]
    gone = add_mention(session, ours.brand, add_post(session, source, deleted_at=NOW))
    session.commit()
    for mention in (*twins, gone):
        correct(ask, ours, mention, severity="low")
    lines = rows(session, ours)
    assert len(lines) == 2
    assert len({(line["scenario"], line["split"]) for line in lines}) == 1
    assert len({line["mention_id"] for line in lines}) == 2
    assert count_corrections(session, Mention.workspace_id == ours.workspace.id) == (3, 1)


def test_the_judges_word_is_the_one_of_then_also_where_only_the_judge_is_new(
    ask: Ask, ours: Customer, session: Session
) -> None:
    correct(ask, ours, ours.mention, severity="critical")
    (line,) = rows(session, ours)
    mention = session.get_one(Mention, ours.mention.id, populate_existing=True)
    add_earlier(
        session, mention, judge=mention.judge, severity=mention.severity,
        sentiment=mention.sentiment, categories=mention.categories, reasons=mention.reasons,
    )  # fmt: skip
    mention.judge, mention.severity, mention.categories = "words-2", 1, ["service"]
    session.commit()
    session.expire_all()
    assert rows(session, ours) == [line]
