"""What a judge says of many texts: in batches, and remembered, so that a run can be cut short."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sentiment.document import kept, restored
from sentiment.judge import Judge, Judgement

BATCH: Final = 256  #: texts; what was judged is written down after each
Advance = Callable[[int], None]


def opinions(
    judge: Judge, texts: Sequence[str], *, memory: Path | None, advance: Advance = lambda _: None
) -> list[Judgement]:
    """One judgement a text, in order; texts that the file ``memory`` knows are not judged again.

    The memory belongs to one judge (see ``memory_of``) and finds a text by its hash, so it stays
    right when the data set changes. ``advance`` is told how many texts are done.
    """
    known = _remembered(memory, {_key(text) for text in texts}) if memory else {}
    missing = {_key(text): text for text in texts if _key(text) not in known}
    advance(sum(_key(text) in known for text in texts))
    waiting = list(missing.items())
    for start in range(0, len(waiting), BATCH):
        part = waiting[start : start + BATCH]
        judged = judge([text for _, text in part])
        fresh = {key: judgement for (key, _), judgement in zip(part, judged, strict=True)}
        if memory:
            _remember(memory, fresh)
        known |= fresh
        advance(len(part))
    return [known[_key(text)] for text in texts]


def memory_of(folder: Path, judge: str, data: str) -> Path:
    """Where the opinions of one judge on one data set are kept."""
    return folder / _file_name(judge) / f"{_file_name(data)}.jsonl"


def _file_name(name: str) -> str:
    plain = re.sub(r"[^\w.+-]+", "_", name).strip("._") or "_"
    if plain == name and len(plain) < 100:
        return plain
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{plain[:80]}-{digest}"


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _remembered(memory: Path, wanted: set[str]) -> dict[str, Judgement]:
    """A line that a killed run left half, or anything else that cannot be read, is passed over."""
    known: dict[str, Judgement] = {}
    if not memory.exists():
        return known
    with memory.open("rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
                if record["text"] in wanted:
                    known[record["text"]] = restored(record["judgement"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return known


def _remember(memory: Path, fresh: dict[str, Judgement]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(
        json.dumps({"text": key, "judgement": kept(judgement)}) + "\n"
        for key, judgement in fresh.items()
    )
    with memory.open("ab") as file:
        # Ends the half line that a killed run may have left.
        ended = "" if file.tell() == 0 or _ends_whole(memory) else "\n"
        file.write((ended + lines).encode())


def _ends_whole(memory: Path) -> bool:
    with memory.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
