"""Options that several groups of commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="Settings file; ./settings.toml by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
