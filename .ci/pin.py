"""Resolve the dependencies anew and write the exact pins: constraints.txt and [tool.uv].

Run `python .ci/pin.py` after a change of the dependencies; a test compares the two lists.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# Exact versions for pip: pip install -c constraints.txt -e '.[dev]'. Made by .ci/pin.py.\n"


def main() -> None:
    """Pin what `dev` needs on every platform; keep everything else of the project file."""
    pins = resolve()
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(pins) + "\n", encoding="utf-8")
    project = ROOT / "pyproject.toml"
    source = project.read_text(encoding="utf-8")
    listed = "".join(f"  {quoted(pin)},\n" for pin in pins)
    # Compiled at installation, so that the first `goodname up` starts as fast as the second.
    table = f"[tool.uv]\ncompile-bytecode = true\nconstraint-dependencies = [\n{listed}]\n"
    bare = re.sub(r"\[tool\.uv\]\n.*?\n\]\n\n?", "", source, flags=re.S)
    at = bare.index("[tool.hatch.build.targets.wheel]")
    project.write_text(bare[:at] + table + "\n" + bare[at:], encoding="utf-8")


def resolve() -> list[str]:
    """Exact versions, with markers where platforms differ."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--universal"]
    command += ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    bare = [*command, "--no-sources", "--no-config"]
    answer = subprocess.run(bare, cwd=ROOT, check=True, capture_output=True, text=True)
    return [line for line in answer.stdout.splitlines() if line and not line.startswith("goodname")]


def quoted(pin: str) -> str:
    """A TOML string; markers hold single quotes."""
    return f'"{pin}"'


if __name__ == "__main__":
    main()
