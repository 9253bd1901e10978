"""What uv and pip install is the same, and names no package host."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_uv_and_pip_are_given_the_same_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in listed if not line.startswith("#")]
    assert project["tool"]["uv"]["constraint-dependencies"] == pins
    assert len(pins) > 50


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    for wanted in [*project["dependencies"], *extras["dev"], *extras["train"]]:
        name = wanted.split(";")[0].split("[")[0].split(">")[0].split("=")[0].split("<")[0].strip()
        assert name == "goodname" or f"\n{name}==" in pinned, name
