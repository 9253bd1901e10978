"""An output that survives being killed at any instant.

Beside the output stands ``<output>.progress`` while it is being made: a small JSON file that says
how many bytes of the output are whole, and which part of the input they came from. It is replaced
as a whole after the output was synced, so it never promises more than the output holds; what the
output holds beyond is cut off at the next start and judged again. Of a gzipped output each such
step is a member of its own, and a cut between members leaves a valid file.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import GoodnameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an output is."""

    judge: str  #: its name; another judge's rows must not follow
    options: str  #: what else shapes a row
    rows: int = 0
    bad: int = 0  #: of them, rows with an error
    line: int = 0  #: the last line of the input that has its row
    digest: str = ""  #: of the input up to the end of that line
    size: int = 0  #: bytes of the output


class Output:
    """Rows go in, whole ones stay; one process at a time."""

    def __init__(self, path: Path, begun: Progress, *, overwrite: bool) -> None:
        """Take up what an interrupted run left, or begin; ``GoodnameError`` says why not."""
        self._path = path
        self._record = path.with_name(path.name + ".progress")
        self._packed = path.name.endswith(".gz")
        self._pending: list[tuple[bytes, Progress]] = []
        existed = path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise GoodnameError(f"{path}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise GoodnameError(f"{path}: another `goodname judge` is writing it") from None
        try:
            self.progress = self._taken_up(begun, existed=existed, overwrite=overwrite)
            os.ftruncate(self._file, self.progress.size)
            self._save(self.progress)
        except OSError as error:
            os.close(self._file)
            if not existed:
                path.unlink(missing_ok=True)
            raise GoodnameError(f"{self._record}: cannot be written: {error.strerror}") from None
        except BaseException:
            os.close(self._file)
            raise

    def add(self, rows: bytes, progress: Progress) -> None:
        """Held in memory until the next ``keep``; ``progress`` is where the output stands then."""
        self._pending.append((rows, progress))

    def keep(self) -> None:
        """Everything added so far is safe from now on, and a next run goes on behind it.

        After a failure it may be called again: what an earlier attempt wrote is cut off first.
        """
        # An interruption may have come between the record and the end of an earlier call.
        self._pending = [one for one in self._pending if one[1].rows > self.progress.rows]
        if not self._pending:
            return
        data, progress = b"".join(rows for rows, _ in self._pending), self._pending[-1][1]
        self._write(gzip.compress(data, 6, mtime=0) if self._packed else data)
        self._save(replace(progress, size=os.lseek(self._file, 0, os.SEEK_CUR)))
        self._pending.clear()

    def finish(self) -> None:
        """Nothing is left to do: the record of the progress goes."""
        if self._packed and not self.progress.size:
            self._write(gzip.compress(b"", mtime=0))
        self._record.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up the lock."""
        os.close(self._file)

    def _write(self, data: bytes) -> None:
        os.ftruncate(self._file, self.progress.size)
        os.lseek(self._file, self.progress.size, os.SEEK_SET)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.fsync(self._file)

    def _taken_up(self, begun: Progress, *, existed: bool, overwrite: bool) -> Progress:
        held = self._path.stat().st_size
        if overwrite or not existed:
            return begun
        if not self._record.exists():
            if not held:
                return begun
            raise GoodnameError(
                f"{self._path} exists already and is no unfinished output; choose another --out, "
                "or give --overwrite"
            )
        earlier = self._read()
        if held < earlier.size:
            raise self._changed("the output is shorter than it was")
        if earlier.judge != begun.judge:
            raise self._changed(f"it was begun with the judge {earlier.judge}, not {begun.judge}")
        if earlier.options != begun.options:
            raise self._changed(f"it was begun with other options: {earlier.options}")
        return earlier

    def _read(self) -> Progress:
        try:
            return Progress(**json.loads(self._record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise self._changed(f"{self._record} cannot be read") from None

    def _changed(self, why: str) -> GoodnameError:
        return GoodnameError(
            f"{self._path}: cannot go on: {why}; --overwrite begins anew, another --out leaves it"
        )

    def _save(self, progress: Progress) -> None:
        """The record first: whatever it does not promise yet is cut off and written again."""
        fresh = self._record.with_name(self._record.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(progress), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._record)
        self.progress = progress


class Pipe:
    """An output without a memory: standard output, a device."""

    def __init__(self, begun: Progress, write: Callable[[bytes], object]) -> None:
        self.progress = begun
        self._write = write

    def add(self, rows: bytes, progress: Progress) -> None:
        """Written at once: somebody may be waiting."""
        self._write(rows)
        self.progress = progress

    def keep(self) -> None:
        """Nothing can be taken up again."""
