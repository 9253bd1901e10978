"""The group of commands `goodname sources`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from goodname.options import AsJson, SettingsFile

FOLDER: Final = Path("recordings")

sources = typer.Typer(
    help="Kinds of sources: try one, record it, replay what was recorded.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Argument(help="Where the recordings lie.")]


@sources.callback()
def _log_to_stderr() -> None:
    """Standard output is for what was asked for, which a script may read."""
    from core.log import configure_logging

    configure_logging(level="warning", style="console", process="cli")


@sources.command("list")
def list_kinds(as_json: AsJson = False, settings: SettingsFile = None) -> None:
    """Show every kind: family, verified or not, opt-in, interval, credential, lines of code."""
    from goodname.sources.listing import list_kinds as show

    show(settings, as_json=as_json)


@sources.command()
def preview(
    what: Annotated[
        str,
        typer.Argument(help="A URL, or the file of a saved page; without: what the kind asks."),
    ] = "",
    kind: Annotated[str | None, typer.Option(help="Read it as this kind.")] = None,
    params: Annotated[
        list[str] | None, typer.Option(help="JSON, or key=value; may come several times.")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Read it by this file of a site.")] = None,
    url: Annotated[str, typer.Option(help="Where a saved page came from.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of times without one.")] = "UTC",
    as_json: AsJson = False,
    settings: SettingsFile = None,
) -> None:
    """Show what is read from a page, what is missing, and whether the contract holds.

    A feed or a page with schema.org reviews needs only its URL and is recognised by itself. An API
    is asked by --kind and --params alone. A URL that would not be asked is refused.
    """
    from goodname.sources.preview import Wanted
    from goodname.sources.preview import preview as run

    sys.exit(
        run(
            Wanted(what=what, kind=kind, params=tuple(params or ()), site=site, url=url,
                   zone=zone, as_json=as_json, settings=settings)
        )
    )  # fmt: skip


@sources.command()
def record(
    name: Annotated[
        str, typer.Argument(help="A source of the settings or the database (its slug).")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the recordings.")] = FOLDER,
    pages: Annotated[int, typer.Option(min=1, max=50, help="Read so many pages at most.")] = 3,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older one.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Crawl a source once, and save its pages beside the posts that they gave."""
    from goodname.sources.record import record as run

    sys.exit(run(settings, name, folder=out, most_pages=pages, overwrite=overwrite))


@sources.command()
def check(folder: Folder = FOLDER, as_json: AsJson = False, settings: SettingsFile = None) -> None:
    """Replay all recordings; exit status 1 when one is read differently or was never reviewed."""
    from goodname.sources.check import check as run

    sys.exit(run(settings, folder, as_json=as_json))


@sources.command()
def review(
    name: Annotated[str, typer.Argument(help="The recording.")],
    folder: Annotated[Path, typer.Option(help="Where the recordings lie.")] = FOLDER,
    accept: Annotated[
        bool, typer.Option("--accept", help="Do not ask: I have looked at it, and it is right.")
    ] = False,
    settings: SettingsFile = None,
) -> None:
    """Look at what is read from a recording, and say that it is right."""
    from goodname.sources.check import review as run

    sys.exit(run(settings, name, folder=folder, accept=accept))
