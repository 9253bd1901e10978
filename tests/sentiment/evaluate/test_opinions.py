"""What was judged is not judged again."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentiment.evaluate.opinions import BATCH, memory_of, opinions
from tests.pipeline.judges import WordJudge, judgement

TEXTS = [f"{word} {i}" for i in range(BATCH) for word in ("fire", "fine")]


def test_judgements_come_in_the_order_of_the_texts_and_each_text_is_judged_once(
    tmp_path: Path,
) -> None:
    judge, done = WordJudge(), 0
    memory = memory_of(tmp_path, judge.name, "set")

    def advance(count: int) -> None:
        nonlocal done
        done += count

    texts = [*TEXTS, TEXTS[0]]
    assert opinions(judge, texts, memory=memory, advance=advance) == [judgement(t) for t in texts]
    assert len(judge.texts) == len(TEXTS)
    assert opinions(judge, texts, memory=memory) == [judgement(t) for t in texts]
    assert len(judge.texts) == len(TEXTS)
    assert done >= len(TEXTS)


def test_a_run_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    judge = WordJudge()
    memory = memory_of(tmp_path, judge.name, "set")
    with pytest.raises(ValueError, match="poison"):
        opinions(judge, [*TEXTS[:BATCH], "poison"], memory=memory)
    with memory.open("ab") as file:
        file.write(b'{"text": "12ab", "judgem')  # killed while it wrote
    again = WordJudge()
    opinions(again, TEXTS, memory=memory)
    assert set(again.texts) == set(TEXTS[BATCH:])
    last = WordJudge()
    assert opinions(last, TEXTS, memory=memory) == [judgement(t) for t in TEXTS]
    assert last.texts == []


def test_a_damaged_memory_is_judged_again_and_not_believed(tmp_path: Path) -> None:
    judge = WordJudge()
    memory = memory_of(tmp_path, judge.name, "set")
    opinions(judge, TEXTS[:4], memory=memory)
    memory.write_bytes(memory.read_bytes().replace(b'"critical"', b'"terrible"', 1) + b"\xff[1]\n")
    again = WordJudge()
    assert opinions(again, TEXTS[:4], memory=memory) == [judgement(t) for t in TEXTS[:4]]
    assert len(again.texts) == 1


def test_a_memory_belongs_to_one_judge_whatever_its_name(tmp_path: Path) -> None:
    names = ["linear-2+ab", "owner/model", "owner_model", "../../etc", "", "x" * 300, "a\0b"]
    files = {memory_of(tmp_path, name, "set") for name in names}
    assert len(files) == len(names)
    assert all(file.resolve().is_relative_to(tmp_path) for file in files)
    for file in files:
        opinions(WordJudge(), ["fire"], memory=file)
