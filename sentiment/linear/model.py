"""The linear judge's numbers on disk: plain arrays, never a pickle."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from core.errors import GoodnameError
from core.types import Category, Sentiment, Severity

SHIPPED: Final = Path(__file__).parent.parent / "models" / "linear" / "model.npz"
FORMAT: Final = 1

SENTIMENTS: Final = tuple(Sentiment)
LEVELS: Final = tuple(Severity)
CATEGORIES: Final = tuple(Category)
#: Columns of every head: sentiments, then "at least this level" for low … critical, categories.
SENTIMENT_HEADS: Final = slice(0, len(SENTIMENTS))
LEVEL_HEADS: Final = slice(len(SENTIMENTS), len(SENTIMENTS) + len(LEVELS) - 1)
CATEGORY_HEADS: Final = slice(LEVEL_HEADS.stop, LEVEL_HEADS.stop + len(CATEGORIES))
HEADS: Final = CATEGORY_HEADS.stop

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """Everything learned; tables have one row for each value of the hash's low bits."""

    general: npt.NDArray[np.int8]  #: x 3: sentiment as public data sets have it
    general_scale: Floats  #: 3: what one step of the table is worth
    general_bias: Floats  #: 3
    own: npt.NDArray[np.int8]  #: x HEADS: what our own posts add
    own_scale: Floats  #: HEADS
    mix: Floats  #: 3 x HEADS: how far general sentiment moves each head
    bias: Floats  #: HEADS; calibration is folded in, a logit's sigmoid is a probability
    prior: Floats  #: 5: levels to expect of a text that says nothing
    cost: Floats  #: 5 x 5: cost[true level, given level]
    category_threshold: Floats  #: 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """The arrays with the digest of the file that they came from."""

    arrays: Arrays
    digest: str  #: SHA-256 of the file, hexadecimal


def load_model(path: Path) -> LinearModel:
    """Read and check a model file; ``GoodnameError`` says what to do about a bad one."""
    try:
        data = path.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes().decode("utf-8"))
            _check(about, path)
            arrays = Arrays(**{part.name: stored[part.name] for part in fields(Arrays)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise GoodnameError(
            f"cannot read the judge's model {path.name}: {error}; install Goodname again, or "
            "train it with: python -m sentiment.training.linear"
        ) from error
    for part in fields(Arrays):
        getattr(arrays, part.name).flags.writeable = False
    return LinearModel(arrays=arrays, digest=hashlib.sha256(data).hexdigest())


def save_model(arrays: Arrays, path: Path) -> None:
    """Write a model file; the same arrays give the same bytes."""
    about = {
        "format": FORMAT,
        "sentiments": [str(sentiment) for sentiment in SENTIMENTS],
        "levels": [level.label for level in LEVELS],
        "categories": [str(category) for category in CATEGORIES],
    }
    members = {part.name: getattr(arrays, part.name) for part in fields(Arrays)}
    members["about"] = np.frombuffer(json.dumps(about).encode("utf-8"), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in members.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(values), allow_pickle=False)
            # A fixed date: otherwise every training run would give another file.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue(), compresslevel=9)


def _check(about: dict[str, object], path: Path) -> None:
    known = ([str(s) for s in SENTIMENTS], [v.label for v in LEVELS], [str(c) for c in CATEGORIES])
    found = (about.get("sentiments"), about.get("levels"), about.get("categories"))
    if about.get("format") != FORMAT or found != known:
        raise ValueError(f"{path.name} was trained for other labels or another format")
