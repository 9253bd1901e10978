"""A checkpoint from the Hugging Face hub, into its own cache; without internet, from there."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import structlog
from huggingface_hub import errors

from core.errors import GoodnameError
from sentiment.checkpoint.files import (
    PICKLED_PATTERNS,
    SAFE_PATTERNS,
    SAFE_WEIGHTS,
    SMALL_PATTERNS,
    has_any,
    pickled_only,
)

log = structlog.get_logger()


def fetch(name: str, *, revision: str, allow_pickled: bool) -> Path:
    """The folder of the checkpoint at that revision (empty: the newest), downloaded once.

    Only what a judge reads is fetched: no other framework's weights, no subfolders, and pickles
    only where allowed and nothing safer exists. A token is taken from ``HF_TOKEN``.
    ``GoodnameError`` says what to do when it fails.
    """
    log.info("checkpoint_wanted", name=name, revision=revision or "newest")
    try:
        folder = _snapshot(name, revision, (*SMALL_PATTERNS, *SAFE_PATTERNS))
        is_safe = has_any(folder, SAFE_WEIGHTS)
        if allow_pickled and not is_safe:
            folder = _snapshot(name, revision, (*SMALL_PATTERNS, *PICKLED_PATTERNS))
    except errors.GatedRepoError:
        raise GoodnameError(
            f"{name} is given only to those who accept its terms: do so on its page of the hub, "
            "and put your token into the variable HF_TOKEN"
        ) from None
    except errors.RepositoryNotFoundError:
        raise GoodnameError(
            f"the hub has no checkpoint {name!r}, or it is private: check [sentiment] model; for a "
            "private one put your token into the variable HF_TOKEN"
        ) from None
    except errors.RevisionNotFoundError:
        raise GoodnameError(
            f"{name} has no revision {revision!r}: check [sentiment] revision"
        ) from None
    # The errors of the client beneath belong to a library that changed between its versions.
    except Exception as error:
        raise GoodnameError(_unreachable(name, error)) from error
    if not is_safe and not allow_pickled:
        raise GoodnameError(pickled_only(name))
    return folder


def _snapshot(name: str, revision: str, patterns: tuple[str, ...]) -> Path:
    return Path(
        huggingface_hub.snapshot_download(
            name,
            revision=revision or None,
            allow_patterns=list(patterns),
            ignore_patterns=["*/*"],
            library_name="goodname",
        )
    )


def _unreachable(name: str, error: Exception) -> str:
    why = (str(error) or type(error).__name__).splitlines()[0][:200]
    if huggingface_hub.is_offline_mode():
        why = "HF_HUB_OFFLINE is set"
    return (
        f"{name} is not on this machine and cannot be downloaded ({why}). Where there is internet: "
        f"hf download {name} --local-dir FOLDER; bring that folder here and set [sentiment] model "
        "to its path"
    )
