"""What a stage was trained on: weights of another training are never taken for this one's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import GoodnameError
from sentiment.training.neural.mixture import Labelled
from sentiment.training.posts import LabelledPost


def claim(folder: Path, stage: str, made_of: Mapping[str, object]) -> None:
    """Note beside the weights what the stage is made of; ``GoodnameError`` if they are of another.

    Weights or checkpoints without a note are of nobody knows what, and are refused as well.
    """
    note = folder / f"{stage}.made.json"
    wanted = json.loads(json.dumps(made_of))
    if note.exists():
        found = json.loads(note.read_text(encoding="utf-8"))
        other = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
    else:
        begun = any((folder / f"{stage}{end}").exists() for end in (".pt", ".state.pt", ".json"))
        other = ["nobody noted what"] if begun else []
    if other:
        raise GoodnameError(
            f"the stage {stage!r} in {folder} was trained on something else ({', '.join(other)}): "
            f"name another folder with --work, or remove its {stage}.* files, and those of the "
            "stages after it, to train it again"
        )
    note.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def texts_digest(texts: Iterable[Labelled]) -> str:
    """SHA-256 of public texts, their labels and weights, in order, hexadecimal."""
    found = hashlib.sha256()
    for text in texts:
        found.update(f"{text.label} {text.weight} {text.text}\0".encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def posts_digest(posts: Sequence[LabelledPost]) -> str:
    """SHA-256 of posts and all their labels, in order, hexadecimal.

    That of the file would change with any post of another split, which nothing learns from.
    """
    written = json.dumps([asdict(post) for post in posts], sort_keys=True, default=sorted)
    return hashlib.sha256(written.encode()).hexdigest()
