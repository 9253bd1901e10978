"""`goodname judge`: what was asked for, and what to say at the end."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.progress import (
    Progress as ProgressBar,
)

from core.errors import GoodnameError
from core.settings import load_settings
from goodname.judging.explain import explained
from goodname.judging.lines import Input
from goodname.judging.output import Output, Pipe, Progress
from goodname.judging.row import Fields, encoded
from goodname.judging.stream import Sink, Tally, judge_lines
from sentiment.document import document
from sentiment.judge import Judge
from sentiment.load import open_judge

STANDARD: Final = "-"
ENDINGS: Final = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".json.gz")
INTERRUPTED: Final = 130  #: exit status, as the shell has it for Ctrl-C


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    what: str  #: a text, a file of lines, or ``-``
    out: str | None = None
    fields: Fields = field(default_factory=Fields)
    model: str | None = None  #: None: that of the settings
    as_json: bool = False
    overwrite: bool = False
    settings: Path | None = None


def judge(wanted: Wanted) -> int:
    """Explain a text or judge a file; the exit status."""
    section = load_settings(wanted.settings).sentiment
    if wanted.model:
        section = section.with_model(wanted.model)
    if _is_file(wanted):
        return _judge_file(wanted, lambda: open_judge(section))
    _explain(wanted, open_judge(section))
    return 0


def _is_file(wanted: Wanted) -> bool:
    """Whether lines are meant: ``-``, with ``--out``, or what is called like a file of them."""
    if wanted.what == STANDARD or wanted.out is not None:
        return True
    if len(wanted.what.split()) != 1 or not wanted.what.lower().endswith(ENDINGS):
        return False
    if not os.path.isfile(wanted.what):  # noqa: PTH113 - says no where Path raises
        raise GoodnameError(f"{wanted.what[:200]}: no such file")
    raise GoodnameError(f"{wanted.what}: say where to: --out FILE, or --out - for standard output")


def _explain(wanted: Wanted, judge: Judge) -> None:
    [judgement] = judge([wanted.what])
    if wanted.as_json:
        shown = document(wanted.what, judgement, probabilities=True)
        shown["reasons"] = [reason.because for reason in judgement.reasons]
        sys.stdout.buffer.write(encoded({**shown, "judge": judge.name}).encode("utf-8") + b"\n")
        return
    console = Console(highlight=False)
    console.print(explained(wanted.what, judgement, judge=judge.name, console=console))


def _judge_file(wanted: Wanted, open_named: Callable[[], Judge]) -> int:
    source = None if wanted.what == STANDARD else Path(wanted.what)
    target = None if wanted.out in (None, STANDARD) else Path(str(wanted.out))
    _check_source(source, target)
    began = time.monotonic()
    with Input(source) as lines:
        judge = open_named()
        begun = Progress(judge=judge.name, options=_options(wanted.fields))
        with _opened(target, begun, overwrite=wanted.overwrite) as sink:
            try:
                tally = _with_bar(lines, sink, judge, wanted.fields)
            except KeyboardInterrupt:
                again = "" if isinstance(sink, Pipe) else ": the same command goes on from there"
                _say(f"stopped after {sink.progress.rows:,} lines{again}")
                return INTERRUPTED
            except BrokenPipeError:
                # Python would complain again when it flushes standard output at its end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                return 0
            except OSError as error:
                done = f"{sink.progress.rows:,} lines are safe"
                raise GoodnameError(f"cannot write: {error.strerror}; {done}") from error
            if isinstance(sink, Output):
                sink.finish()
    return _summary(tally, time.monotonic() - began, judge=judge.name)


def _check_source(source: Path | None, target: Path | None) -> None:
    name = "standard input" if source is None else str(source)
    try:
        about = os.fstat(0) if source is None else source.stat()
        same = target is not None and target.is_file() and os.path.samestat(about, target.stat())
    except (OSError, ValueError):
        why = "cannot be read" if source is None else "no such file"
        raise GoodnameError(f"{name[:200]}: {why}") from None
    if stat.S_ISDIR(about.st_mode):
        raise GoodnameError(f"{name}: a folder, not a file of lines")
    if same:
        raise GoodnameError(f"{name}: input and --out are the same file")


def _options(fields: Fields) -> str:
    language = f" --lang-field {fields.language}" if fields.language else ""
    return f"--text-field {fields.text}{language}{' --probabilities' * fields.probabilities}"


def _opened(
    target: Path | None, begun: Progress, *, overwrite: bool
) -> closing[Output] | nullcontext[Pipe]:
    if target is None:
        return nullcontext(Pipe(begun, _write_out))
    if target.is_dir():
        raise GoodnameError(f"{target}: a folder; name a file")
    if target.exists() and not target.is_file():
        device = target.open("wb", buffering=0)
        return nullcontext(Pipe(begun, device.write))
    return closing(Output(target, begun, overwrite=overwrite))


def _write_out(rows: bytes) -> None:
    sys.stdout.buffer.write(rows)
    sys.stdout.buffer.flush()


def _with_bar(lines: Input, sink: Sink, judge: Judge, fields: Fields) -> Tally:
    """A bar over the bytes of the input, and how many lines are done."""
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.fields[rows]:,} lines", markup=False), BarColumn(), DownloadColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with ProgressBar(*columns, console=console, transient=True,
                     disable=not console.is_terminal) as bar:  # fmt: skip
        task = bar.add_task("", total=lines.size, rows=sink.progress.rows)

        def advance(_: int) -> None:
            bar.update(task, completed=lines.position, rows=sink.progress.rows)

        return judge_lines(lines, sink, judge, fields, advance=advance)


def _summary(tally: Tally, seconds: float, *, judge: str) -> int:
    resumed = f" ({tally.resumed:,} by an earlier run)" if tally.resumed else ""
    lines = tally.resumed + tally.rows
    _say(f"{lines:,} lines{resumed} in {seconds:.1f} s, judged by {judge}")
    if not tally.bad:
        return 0
    found = "; ".join(f"{count:,} × {why}" for why, count in tally.reasons.most_common(5))
    _say(f"warning: {tally.bad:,} lines could not be judged{f' ({found})' if found else ''}; "
         "their rows hold an `error`")  # fmt: skip
    if tally.bad == lines:
        raise GoodnameError("no line could be judged; is it JSON lines, and --text-field right?")
    return 0


def _say(words: str) -> None:
    """To standard error, which may be closed or speak ASCII only."""
    try:
        Console(stderr=True, highlight=False, soft_wrap=True).print(words, markup=False)
    except (OSError, ValueError):
        return
