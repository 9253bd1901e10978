"""Which folders are taken for checkpoints, and which are refused before anything is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.errors import GoodnameError
from sentiment.checkpoint.files import Checkpoint, find, looks_like_checkpoint
from sentiment.load import load_judge


def _folder(root: Path, **files: object) -> Path:
    folder = root / "shop-mood"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in ({"config__json": {}, "model__safetensors": "weights"} | files).items():
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            (folder / name.replace("__", ".")).write_text(text, "utf-8")
    return folder


def _find(folder: Path | str, *, allow_pickled: bool = False) -> Checkpoint:
    return find(str(folder), revision="", allow_pickled=allow_pickled)


def test_a_folder_with_safe_weights_is_a_checkpoint_named_after_it(tmp_path: Path) -> None:
    found = _find(_folder(tmp_path))
    assert (found.title, found.is_pickled) == ("shop-mood", False)


def test_a_folder_of_the_hubs_cache_keeps_the_name_that_it_has_there(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "models--shop--mood" / "snapshots")
    assert _find(folder).title == "shop/mood"


def test_the_digest_changes_with_any_file_that_counts_and_not_with_the_place(
    tmp_path: Path,
) -> None:
    folder = _folder(tmp_path / "a", README__md="about")
    digest = _find(folder).digest
    copy = Path(shutil.copytree(folder, tmp_path / "b" / "shop-mood"))
    assert _find(copy).digest == digest
    (copy / "README.md").write_text("more", "utf-8")
    assert _find(copy).digest == digest
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (copy / name).write_text('{"other": 1}', "utf-8")
        changed = _find(copy).digest
        assert changed != digest
        digest = changed


@pytest.mark.parametrize("name", ["config__json", "tokenizer_config__json"])
def test_code_of_its_own_is_refused(tmp_path: Path, name: str) -> None:
    mapped = {"auto_map": {"AutoModelForSequenceClassification": "modeling_evil.Evil"}}
    with pytest.raises(GoodnameError, match="Python code of its own"):
        _find(_folder(tmp_path, **{name: mapped}))


def test_pickled_weights_are_refused_unless_allowed(tmp_path: Path) -> None:
    folder = _folder(tmp_path, model__safetensors=None, pytorch_model__bin="pickle")
    with pytest.raises(GoodnameError, match=r"can carry a program; .*pickled_weights = true"):
        _find(folder)
    assert _find(folder, allow_pickled=True).is_pickled


def test_safe_weights_are_taken_where_both_are_there(tmp_path: Path) -> None:
    folder = _folder(tmp_path, pytorch_model__bin="pickle")
    assert not _find(folder, allow_pickled=True).is_pickled


def test_a_config_that_names_other_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoodnameError, match="transformers_weights"):
        _find(_folder(tmp_path, config__json={"transformers_weights": "evil.bin"}))


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"config__json": None}, r"shop-mood is no checkpoint: it has no config\.json"),
        ({"config__json": "{"}, r"cannot read config\.json of shop-mood"),
        ({"config__json": "[" * 100_000}, r"cannot read config\.json of shop-mood"),
        ({"config__json": []}, "it is no JSON object"),
        ({"tokenizer_config__json": "\x00"}, r"cannot read tokenizer_config\.json"),
        ({"model__safetensors": None}, "no weights that Goodname can read"),
        ({"adapter_config__json": {}}, "adapter for another model; merge"),
    ],
)
def test_a_folder_that_cannot_be_one_is_an_error_that_says_why(
    tmp_path: Path, files: dict[str, object], complaint: str
) -> None:
    with pytest.raises(GoodnameError, match=complaint):
        _find(_folder(tmp_path, **files))


@pytest.mark.parametrize(
    "model", ["/no/such/folder", "./here", "~/models/mood", "~nobody/x", "a/b/c", "a/b c", "../a",
              "a/" + "b" * 5_000, "a/b\x00", "C:\\models\\mood"]
)  # fmt: skip
def test_a_path_to_nowhere_is_an_error_and_is_not_asked_of_the_hub(model: str) -> None:
    with pytest.raises(GoodnameError, match="neither a folder here nor a name on the hub"):
        _find(model)


def test_names_of_our_judges_are_no_checkpoints() -> None:
    assert not any(map(looks_like_checkpoint, ["linear", "neural", "linaer", "", "a" * 9_000]))
    assert all(map(looks_like_checkpoint, ["owner/name", "./mood", "~/mood", "/models/mood"]))


def test_without_the_libraries_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sentiment.checkpoint.open.NEEDED", ("json", "no_such_library"))
    with pytest.raises(GoodnameError, match=r"needs no_such_library.*goodname\[torch\]"):
        load_judge("owner/name")
    with pytest.raises(GoodnameError, match=rf"^there is no folder mine/judge in {Path.cwd()}; "):
        load_judge("mine/judge")
