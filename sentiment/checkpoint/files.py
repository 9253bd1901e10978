"""A checkpoint's files: found in a folder or fetched from the hub, and refused where unsafe."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import GoodnameError

#: ``owner/name`` as the hub allows it.
HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
#: Weights that are only numbers; a pickle is a program.
SAFE_WEIGHTS: Final = ("model.safetensors", "model.safetensors.index.json")
SAFE_PATTERNS: Final = ("model.safetensors", "model-*.safetensors")
PICKLED_WEIGHTS: Final = ("pytorch_model.bin", "pytorch_model.bin.index.json")
PICKLED_PATTERNS: Final = ("pytorch_model.bin", "pytorch_model-*.bin")
#: Everything beside the weights that a model or its tokenizer reads.
SMALL_PATTERNS: Final = ("*.json", "*.txt", "*.model")
_CACHED: Final = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A folder that was looked through and may be loaded."""

    folder: Path
    title: str  #: how people and the judge's name call it; never a path of this machine
    is_pickled: bool  #: its weights must be unpickled, and the settings allow it

    @property
    def digest(self) -> str:
        """SHA-256 over every file that could change an answer, hexadecimal; reads them all."""
        total = hashlib.sha256()
        for path in sorted(_parts(self.folder, is_pickled=self.is_pickled)):
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{path.name} {found}\n".encode())
        return total.hexdigest()


def looks_like_checkpoint(model: str) -> bool:
    """Whether the setting means a checkpoint, and not the name of a judge of ours."""
    is_path = "/" in model or "\\" in model or model.startswith(("~", "."))
    return is_path or (model != "" and _is_folder(Path(model)))


def find(model: str, *, revision: str, allow_pickled: bool) -> Checkpoint:
    """The checkpoint of that folder or of that name on the hub; downloads it where needed.

    Raises ``GoodnameError`` that says what to do about one that is missing or must not be loaded.
    """
    folder = folder_of(model)
    if not _is_folder(folder):
        if not HUB_ID.fullmatch(model):
            raise GoodnameError(
                f"[sentiment] model {model!r} is neither a folder here nor a name on the hub "
                "(owner/name)"
            )
        from sentiment.checkpoint.hub import fetch

        folder = fetch(model, revision=revision, allow_pickled=allow_pickled)
        title = model
    else:
        title = _title(folder.resolve())
    return _checked(folder, title=title, allow_pickled=allow_pickled)


def has_any(folder: Path, names: tuple[str, ...]) -> bool:
    """Whether one of the names is a file there."""
    return any((folder / name).is_file() for name in names)


def folder_of(model: str) -> Path:
    """The folder that a setting names; it need not be there."""
    return Path(os.path.expanduser(model))  # noqa: PTH111 - Path's own raises for unknown homes


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long for any file, say
        return False


def _checked(folder: Path, *, title: str, allow_pickled: bool) -> Checkpoint:
    config = _json(folder / "config.json", title)
    if "auto_map" in config or "auto_map" in _optional(folder / "tokenizer_config.json", title):
        raise GoodnameError(
            f"{title} brings Python code of its own (auto_map), which Goodname never runs; take a "
            "checkpoint of an architecture that transformers knows"
        )
    if "transformers_weights" in config:
        raise GoodnameError(f"{title} names its weights by transformers_weights: not supported")
    if (folder / "adapter_config.json").is_file():
        raise GoodnameError(
            f"{title} is an adapter for another model; merge the two (peft: merge_and_unload) and "
            "set [sentiment] model to the folder of the result"
        )
    if has_any(folder, SAFE_WEIGHTS):
        return Checkpoint(folder=folder, title=title, is_pickled=False)
    if not has_any(folder, PICKLED_WEIGHTS):
        raise GoodnameError(
            f"{title} has no weights that Goodname can read: one of {', '.join(SAFE_WEIGHTS)}"
        )
    if not allow_pickled:
        raise GoodnameError(pickled_only(title))
    return Checkpoint(folder=folder, title=title, is_pickled=True)


def pickled_only(title: str) -> str:
    """Why its weights are not read, and what to do."""
    return (
        f"{title} has no model.safetensors, and a pickle (pytorch_model.bin) can carry a program; "
        "take a revision with model.safetensors ([sentiment] revision, often one of the hub's "
        "refs/pr/…), or, if you trust its author, set [sentiment] pickled_weights = true"
    )


def _parts(folder: Path, *, is_pickled: bool) -> Iterator[Path]:
    weights = PICKLED_PATTERNS if is_pickled else SAFE_PATTERNS
    for pattern in (*SMALL_PATTERNS, *weights):
        yield from (path for path in folder.glob(pattern) if path.is_file())


def _title(folder: Path) -> str:
    """The folder's own name, or that of the hub where the folder is a part of its cache."""
    for part in folder.parts:
        if cached := _CACHED.fullmatch(part):
            return f"{cached['owner']}/{cached['name']}"
    name = "".join(char if char.isprintable() and char != "," else "_" for char in folder.name)
    return name[:80] or "checkpoint"


def _json(path: Path, title: str) -> dict[str, object]:
    try:
        parsed = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise GoodnameError(
            f"{title} is no checkpoint: it has no {path.name}; name the folder that holds it"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise GoodnameError(f"cannot read {path.name} of {title}: {error}") from error
    if not isinstance(parsed, dict):
        raise GoodnameError(f"cannot read {path.name} of {title}: it is no JSON object")
    return parsed


def _optional(path: Path, title: str) -> dict[str, object]:
    return _json(path, title) if path.is_file() else {}
