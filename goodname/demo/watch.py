"""Start the invented internet in a process of its own and tell Goodname to watch it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import GoodnameError
from core.settings import Settings, WorkspaceSection
from goodname.demo.names import Names
from goodname.demo.setup import DemoSettings, demo_settings


@contextmanager
def watched_world(
    settings: Settings,
    *,
    seed: int | None,
    texts: Path | None = None,
    brand: str | None = None,
    rival: str | None = None,
) -> Iterator[tuple[Settings, Mapping[str, str]]]:
    """Serve the world while the block runs; yield the settings and variables that watch it."""
    with _served(seed=seed, texts=texts, brand=brand, rival=rival) as told:
        demo = demo_settings(told["url"], names=Names.given(brand, rival))
        print(f"Goodname: the invented internet is at {told['url']}")  # noqa: T201
        yield _watching(settings, demo), _variables(demo)


def forget(folder: Path) -> None:
    """Remove what earlier demos collected; nothing else ever lies in a demo's folder."""
    if folder.is_dir():
        shutil.rmtree(folder)


def _watching(settings: Settings, demo: DemoSettings) -> Settings:
    return settings.model_copy(
        update={
            "workspace": WorkspaceSection(name="demo"),
            "crawl": settings.crawl.model_copy(
                update={
                    "allowed_addresses": [demo.allowed_address],
                    "opted_in": _kinds(demo),
                }
            ),
            "brands": list(demo.brands),
            "sources": list(demo.sources),
            "rules": list(demo.rules),
            "receivers": list(demo.receivers),
        }
    )


def _variables(demo: DemoSettings) -> Mapping[str, str]:
    """One address is opened, the demo's own; one's own loopback needs no pauses."""
    allowed = json.dumps([demo.allowed_address])
    return {
        "GOODNAME_WORKSPACE__NAME": "demo",
        "GOODNAME_CRAWL__ALLOWED_ADDRESSES": allowed,
        "GOODNAME_DELIVERY__ALLOWED_ADDRESSES": allowed,
        "GOODNAME_CRAWL__DELAY_SECONDS": "0",
        "GOODNAME_CRAWL__LONGEST_DELAY_SECONDS": "0",
        "GOODNAME_CRAWL__OPTED_IN": json.dumps(_kinds(demo)),
    }


def _kinds(demo: DemoSettings) -> list[str]:
    return sorted({source.kind for source in demo.sources})


@contextmanager
def _served(
    *, seed: int | None, texts: Path | None, brand: str | None, rival: str | None
) -> Iterator[dict[str, Any]]:
    given = {"seed": seed, "texts": texts, "brand": brand, "rival": rival}
    options = [f"--{name}={value}" for name, value in given.items() if value is not None]
    process = subprocess.Popen(
        [sys.executable, "-m", "goodname.demo.server", "--with-parent", "--waits", *options],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        line = process.stdout.readline()
        if not line:
            raise GoodnameError("the demo's server did not start; its reason stands above")
        yield json.loads(line)
    finally:
        process.terminate()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
