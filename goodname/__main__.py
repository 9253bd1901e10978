"""``python -m goodname``: how the processes are started, whatever is on the PATH."""

from __future__ import annotations

from goodname.cli import main

main()
