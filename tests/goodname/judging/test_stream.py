"""A stream that is cut anywhere: no line is lost, repeated or left half."""

from __future__ import annotations

import gzip
import json
import os
import random
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.errors import GoodnameError
from goodname.judging import stream
from goodname.judging.lines import Input
from goodname.judging.output import Output, Progress
from goodname.judging.row import Fields
from goodname.judging.stream import Tally, judge_lines
from sentiment.judge import Judgement
from tests.pipeline.judges import WordJudge, judgement

BEGUN = Progress(judge="words-1", options="--text-field text")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Lines of all kinds, more than a few batches."""
    chance = random.Random(7)
    lines = []
    for number in range(1_100):
        text = chance.choice(["fire", "fine", "broken", "meh \u0142\ud83d"]) * (1 + number % 5)
        lines.append(json.dumps({"text": text, "n": number}).encode())
        if number % 97 == 0:
            lines.append(chance.choice([b"", b"  ", b"not json", b"\xff", b"{}"]))
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def run(
    source: Path, out: Path, judge: WordJudge | None = None, *, overwrite: bool = False
) -> Tally:
    """One run of the command, without the command."""
    with Input(source) as lines:
        sink = Output(out, BEGUN, overwrite=overwrite)
        try:
            tally = judge_lines(lines, sink, judge or WordJudge(), Fields())
            sink.finish()
        finally:
            sink.close()
        return tally


class MortalJudge(WordJudge):
    """Dies in its n-th batch."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def __call__(self, texts: Sequence[str]) -> list[Judgement]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().__call__(texts)


def plain(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.name.endswith(".gz") else data


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_run_that_is_interrupted_again_and_again_writes_what_one_run_writes(
    source: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH", 100)
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    told = run(source, whole)
    judges = [MortalJudge(n) for n in (0, 1, 3, 0, 4)]
    for judge in judges:
        with pytest.raises(KeyboardInterrupt):
            run(source, out, judge)
        # What a kill in the middle of a write leaves behind.
        with out.open("ab") as file:
            file.write(b'{"text": "half a li')
    last = WordJudge()
    tally = run(source, out, last)
    assert plain(out) == plain(whole)
    assert (tally.resumed + tally.rows, tally.bad) == (told.rows, told.bad)
    assert tally.resumed == 800
    judged = [text for judge in [*judges, last] for text in judge.texts]
    assert len(judged) == told.rows - told.bad
    assert sorted(path.name for path in tmp_path.iterdir() if name in path.name) == [
        name, f"whole-{name}"
    ]  # fmt: skip


def test_little_of_a_slow_judges_work_is_at_stake(source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out.jsonl", MortalJudge(1))
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 32


def test_every_line_that_is_not_blank_has_its_row_in_order(source: Path, tmp_path: Path) -> None:
    tally = run(source, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert [row["n"] for row in rows if "n" in row] == list(range(1_100))
    assert tally.bad == sum("error" in row for row in rows) == len(rows) - 1_100 > 0
    assert sum(tally.reasons.values()) == tally.bad


@pytest.fixture
def cut(source: Path, tmp_path: Path) -> Path:
    """An output that was interrupted after two batches."""
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(source, out, MortalJudge(2))
    return out


def test_an_input_that_changed_is_noticed_and_the_rows_are_left(source: Path, cut: Path) -> None:
    before = cut.read_bytes()
    source.write_bytes(source.read_bytes().replace(b"fire", b"wire", 1))
    with pytest.raises(GoodnameError, match="judged before have changed"):
        run(source, cut)
    assert cut.read_bytes() == before
    run(source, cut, overwrite=True)
    assert len(cut.read_bytes().splitlines()) > 1_100


def test_an_input_that_became_shorter_is_noticed(source: Path, cut: Path) -> None:
    source.write_bytes(b"\n".join(source.read_bytes().splitlines()[:50]))
    with pytest.raises(GoodnameError, match="have changed"):
        run(source, cut)


def test_an_input_that_grew_is_judged_to_its_end(source: Path, cut: Path) -> None:
    with source.open("ab") as file:
        file.write(b'\n{"text": "one more", "n": -1}\n')
    run(source, cut)
    assert json.loads(cut.read_bytes().splitlines()[-1])["n"] == -1


def test_an_output_is_not_mixed_with_another_judges(source: Path, cut: Path) -> None:
    for other, why in (
        (Progress(judge="words-2", options=BEGUN.options), "judge words-1, not words-2"),
        (Progress(judge=BEGUN.judge, options="--text-field body"), "other options: --text-field"),
    ):
        with pytest.raises(GoodnameError, match=why):
            Output(cut, other, overwrite=False)


def test_a_file_that_is_not_ours_is_not_touched(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "precious.txt"
    out.write_text("precious", encoding="utf-8")
    with pytest.raises(GoodnameError, match="exists already"):
        run(source, out)
    assert out.read_text(encoding="utf-8") == "precious"
    run(source, out, overwrite=True)
    with pytest.raises(GoodnameError, match="exists already"):  # it is complete
        run(source, out)


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b'{"judge": 1, "what": 2}', b"\xff"])
def test_a_damaged_record_of_the_progress_is_an_error(
    source: Path, cut: Path, record: bytes
) -> None:
    cut.with_name("out.jsonl.progress").write_bytes(record)
    with pytest.raises(GoodnameError, match="cannot go on"):
        run(source, cut)


def test_an_output_that_lost_its_end_is_an_error(source: Path, cut: Path) -> None:
    os.truncate(cut, 100)
    with pytest.raises(GoodnameError, match="shorter than it was"):
        run(source, cut)


def test_two_runs_never_write_the_same_output(source: Path, cut: Path) -> None:
    first = Output(cut, BEGUN, overwrite=False)
    try:
        with pytest.raises(GoodnameError, match="another `goodname judge`"):
            run(source, cut)
    finally:
        first.close()


def test_a_full_disk_loses_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half way is cut off, and may be tried again."""
    out, real = tmp_path / "out.jsonl", os.write
    room = 40_000

    def write(fd: int, data: memoryview) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = real(fd, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(stream, "BATCH", 100)
    monkeypatch.setattr(stream, "KEEP_BYTES", 1)
    with pytest.raises(OSError, match="No space left"):
        run(source, out)
    room = 10**9
    tally = run(source, out)
    run(source, tmp_path / "whole")
    assert tally.resumed > 0
    assert out.read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_an_interruption_of_a_write_repeats_no_row(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of the output, of the record, and between the two; the command keeps once more at its end."""
    monkeypatch.setattr(stream, "BATCH", 100)
    monkeypatch.setattr(stream, "KEEP_BYTES", 1)
    whole = tmp_path / f"whole-{name}"
    run(source, whole)
    real_sync, real_replace = os.fsync, Path.replace

    for moment in range(2, 9):
        calls = 0

        def interrupt_at(wanted: int) -> None:
            nonlocal calls
            calls += 1
            if calls == wanted:
                raise KeyboardInterrupt

        def fsync(file: int, moment: int = moment) -> None:
            real_sync(file)
            interrupt_at(moment)

        def replace(path: Path, target: Path, moment: int = moment) -> Path:
            came = real_replace(path, target)
            interrupt_at(moment)
            return came

        out = tmp_path / f"{moment}-{name}"
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fsync)
            patched.setattr(Path, "replace", replace)
            with pytest.raises(KeyboardInterrupt):
                run(source, out)
        run(source, out)
        assert plain(out) == plain(whole), moment


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 250)
    with pytest.raises(GoodnameError, match=r"progress: cannot be written: File name too long"):
        Output(out, BEGUN, overwrite=False)
    assert not out.exists()


def test_blank_lines_at_the_end_are_no_change(source: Path, tmp_path: Path) -> None:
    with source.open("ab") as file:
        file.write(b"\n\n \n")
    out = tmp_path / "out.jsonl"
    with Input(source) as lines:
        sink = Output(out, BEGUN, overwrite=False)
        judge_lines(lines, sink, WordJudge(), Fields())  # killed before it could finish
        sink.close()
    again = WordJudge()
    assert run(source, out, again).rows == 0
    assert not again.texts


@pytest.mark.parametrize("lost", [9, 300])
def test_every_line_before_the_damage_has_its_row(tmp_path: Path, lost: int) -> None:
    chance = random.Random(3)
    lines = [json.dumps({"text": f"{chance.random()}"}).encode() for _ in range(100)]
    packed = gzip.compress(b"\n".join(lines) + b"\n")[:-lost]
    left = zlib.decompressobj(31).decompress(packed).count(b"\n")
    (tmp_path / "in.gz").write_bytes(packed)
    with pytest.raises(GoodnameError, match=f"damaged after line {left}: .*fetch it again"):
        run(tmp_path / "in.gz", tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == left > 30


def test_an_empty_input_makes_an_empty_output_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\n \n")
    assert run(tmp_path / "in", tmp_path / "out.gz").rows == 0
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == b""


def test_memory_does_not_grow_with_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(WordJudge):
        def __call__(self, texts: Sequence[str]) -> list[Judgement]:
            return [judgement(text) for text in texts]

    monkeypatch.setattr(stream, "KEEP_BYTES", 1 << 20)
    line = json.dumps({"text": "fire " + "x" * 20_000}).encode() + b"\n"
    with gzip.open(tmp_path / "in.gz", "wb", compresslevel=1) as file:
        for _ in range(4_000):
            file.write(line)
    tracemalloc.start()
    try:
        tally = run(tmp_path / "in.gz", tmp_path / "out.jsonl", Forgetful())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally.rows == 4_000
    assert (tmp_path / "out.jsonl").stat().st_size > 80_000_000
    assert peak < 40_000_000
