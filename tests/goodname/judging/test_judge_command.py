"""`goodname judge` as a person and a script meet it, with the shipped judge."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import GoodnameError
from goodname.judging.command import Wanted, judge

ROOT = Path(__file__).parents[3]
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "COLUMNS": "100"}
QUICK = "linear"  #: where it matters only what becomes of the lines
COMMAND = [sys.executable, "-m", "goodname", "judge"]


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=ENV, input=stdin, capture_output=True, timeout=110,
        check=False,
    )  # fmt: skip


def test_a_text_is_explained_and_given_as_json() -> None:
    text = "The heater caught fire and burned my hand."
    told = run(text)
    assert told.returncode == 0, told.stderr
    assert b"critical" in told.stdout
    found = json.loads(run(text, "--json").stdout)
    assert found["severity"] == "critical"
    assert found["judge"].startswith("neural-")
    assert abs(sum(found["sentiment_p"].values()) - 1) < 0.001


def test_a_pipe_is_judged_and_bad_lines_are_counted() -> None:
    ran = run("-", stdin=gzip.compress(b'{"body": "x"}\nx\n') + gzip.compress(b'\n{"text": "x"}'))
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line).get("error", "")[:8] for line in ran.stdout.splitlines()] == [
        "no field", "not JSON", ""
    ]  # fmt: skip
    assert b"warning: 2 lines could not be judged" in ran.stderr


@pytest.mark.parametrize(
    ("what", "out", "complaint"),
    [
        ("nowhere.jsonl", None, "nowhere.jsonl: no such file"),
        ("nowhere", "out", "nowhere: no such file"),
        ("a\0b", "out", "no such file"),
        ("x" * 5_000 + ".jsonl", None, "no such file"),
        ("folder", "out", "folder: a folder"),
        ("in.jsonl", None, "say where to: --out FILE"),
        ("in.jsonl", "in.jsonl", "are the same file"),
        ("in.jsonl", "folder", "folder: a folder; name a file"),
        ("in.jsonl", "no/such/folder", "cannot be written: No such file"),
        ("in.jsonl", "folder/kept.txt", "exists already"),
    ],
)
def test_a_mistake_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, out: str | None, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept.txt").write_text("kept", encoding="utf-8")
    (tmp_path / "in.jsonl").write_text('{"text": "thanks"}', encoding="utf-8")
    with pytest.raises(GoodnameError, match=re.escape(complaint)):
        judge(Wanted(what=what, out=out))
    assert (tmp_path / "folder" / "kept.txt").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "in.jsonl").stat().st_size == 18
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in.jsonl"]


def test_standard_input_is_not_written_over(tmp_path: Path) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text('{"text": "thanks"}\n' * 3, encoding="utf-8")
    with lines.open("rb") as stdin:
        ran = subprocess.run(
            [*COMMAND, "-", "--out", str(lines), "--overwrite"], cwd=ROOT, env=ENV, stdin=stdin,
            capture_output=True, timeout=110, check=False,
        )  # fmt: skip
    assert (ran.returncode, b"the same file" in ran.stderr) == (1, True), ran.stderr
    assert len(lines.read_bytes().splitlines()) == 3


def test_an_unknown_judge_is_named_in_one_line() -> None:
    ran = run("a text", "--model", "delphi")
    assert ran.returncode == 1
    assert b"unknown judge 'delphi'" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_file_in_which_nothing_can_be_judged_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,thanks\n", encoding="utf-8")
    with pytest.raises(GoodnameError, match="no line could be judged"):
        judge(Wanted(what=str(tmp_path / "in.csv"), out=str(tmp_path / "out")))
    assert "warning: 2 lines could not be judged" in capsys.readouterr().err
    assert len((tmp_path / "out").read_bytes().splitlines()) == 2


def test_what_was_judged_before_damage_is_kept(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"thank you {n}"}) for n in range(5_000)]
    packed = gzip.compress("\n".join(lines).encode())
    source, out = tmp_path / "in.gz", tmp_path / "out"
    source.write_bytes(packed[:-2_000])
    with pytest.raises(GoodnameError, match="damaged after line"):
        judge(Wanted(what=str(source), out=str(out), model=QUICK))
    assert len(out.read_bytes().splitlines()) > 256
    source.write_bytes(packed)  # fetched again, whole
    assert judge(Wanted(what=str(source), out=str(out), model=QUICK)) == 0
    kept = [json.loads(line)["text"] for line in out.read_bytes().splitlines()]
    assert kept == [f"thank you {n}" for n in range(5_000)]


def test_a_reader_that_goes_away_is_no_error() -> None:
    lines = b'{"text": "thanks"}\n' * 20_000
    with subprocess.Popen(
        [*COMMAND, "-", "--out", "-"], cwd=ROOT, env=ENV, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(lines[: 19 * 600])
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"text": "thanks"')
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.write(lines)
        with suppress(BrokenPipeError):
            process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


KILLED = (
    "import sys; from goodname.judging import stream; stream.KEEP_SECONDS = 0; stream.BATCH = 64;"
    "from goodname.cli import main; sys.argv[0] = 'goodname'; main()"
)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path, name: str) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / name
    record = tmp_path / f"{name}.progress"
    texts = ("the heater caught fire", "thank you", "nobody answers", "zwrotu nie ma")
    source.write_text(
        "".join(json.dumps({"text": texts[n % 4], "n": n}) + "\n" for n in range(6_000)),
        encoding="utf-8",
    )
    command = [sys.executable, "-c", KILLED, "judge", str(source), "--out", str(out)]
    command += ["--model", QUICK]
    for least in (64, 1_500):
        process = subprocess.Popen(command, cwd=ROOT, env=ENV, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if record.exists() and json.loads(record.read_bytes())["rows"] >= least:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.005)
        assert process.wait() == -signal.SIGKILL
        assert record.exists()
    ended = subprocess.run(
        command, cwd=ROOT, env=ENV, capture_output=True, text=True, timeout=110, check=True
    )
    assert "by an earlier run" in ended.stderr
    data = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    rows = [json.loads(line) for line in data.splitlines()]
    assert [row["n"] for row in rows] == list(range(6_000))
    assert {row["severity"] for row in rows[::4]} == {rows[0]["severity"]} == {"critical"}
    assert not record.exists()
