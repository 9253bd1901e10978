"""The command line. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import GoodnameError
from goodname.options import AsJson, SettingsFile
from goodname.sources.cli import sources

app = typer.Typer(
    name="goodname",
    help="Online reputation monitor: hears the angry customer first.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys: who may call.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys, name="keys")
corrections = typer.Typer(
    help="What people corrected: as training data, and against the judges.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(corrections, name="corrections")
app.add_typer(sources, name="sources")

OfDemo = Annotated[bool, typer.Option("--demo", help="Of the demo, not of the real data.")]
OfBrand = Annotated[str | None, typer.Option("--brand", help="Only this brand (its slug).")]


def main() -> None:
    """Run a command; an error that a person can act on is one line, not a traceback."""
    try:
        app()
    except GoodnameError as error:
        print(f"goodname: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


@app.command()
def up(
    settings: SettingsFile = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Watch an invented brand on an invented internet.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --demo: forget what earlier demos collected.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="With --demo: the order in which things happen.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="With --demo: a JSON file with other texts.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="With --demo: the brand's name.")] = None,
    rival: Annotated[str | None, typer.Option(help="With --demo: the rival's name.")] = None,
) -> None:
    """Run everything on this machine: database, crawler, judge, delivery, API and page."""
    from core.settings import load_settings

    loaded = load_settings(settings)  # a typo shows at once, before anything heavy is imported
    from goodname.up import DemoOptions, run_up

    options = DemoOptions(fresh=fresh, seed=seed, texts=texts, brand=brand, rival=rival)
    chosen = options if demo else None
    sys.exit(run_up(loaded, demo=chosen))


@app.command()
def api(settings: SettingsFile = None) -> None:
    """Serve the API and the page."""
    from goodname.processes import serve_api

    serve_api(settings)


@app.command()
def scheduler(settings: SettingsFile = None) -> None:
    """Find sources that are due; any number may run, one leads."""
    from goodname.processes import schedule

    schedule(settings)


@app.command()
def worker(
    queue: Annotated[str, typer.Option(help="crawl, judge, deliver, or judge,deliver.")],
    settings: SettingsFile = None,
) -> None:
    """Work on a queue; any number may run, on any number of machines."""
    from goodname.processes import work

    work(settings, queue.split(","))


@app.command()
def migrate(
    settings: SettingsFile = None,
    down: Annotated[
        str | None, typer.Option(help="Go down to this revision ('base': drop all tables).")
    ] = None,
) -> None:
    """Bring the database to the newest tables and to what the settings declare."""
    from goodname.admin import migrate_database

    migrate_database(settings, down=down)


@app.command()
def crawl(source: str, settings: SettingsFile = None, demo: OfDemo = False) -> None:
    """Crawl one source now, whatever its schedule says (needs a running crawl worker)."""
    from goodname.admin import crawl_now

    crawl_now(settings, source, demo=demo)


@app.command()
def doctor(settings: SettingsFile = None, as_json: AsJson = False, demo: OfDemo = False) -> None:
    """Say what is wrong and what to do about it; exit status 1 when something is."""
    from goodname.doctor import examine, report

    sys.exit(report(examine(settings, demo=demo), as_json=as_json))


@keys.command("create")
def create_key(
    name: str,
    role: Annotated[str, typer.Option(help="owner, analyst, ops or admin.")] = "analyst",
    days: Annotated[int | None, typer.Option(help="Expire after so many days.")] = None,
    settings: SettingsFile = None,
    demo: OfDemo = False,
) -> None:
    """Make a key and print it; it is shown this once."""
    from goodname.admin import create_api_key

    create_api_key(settings, name=name, role=role, days=days, demo=demo)


@keys.command("list")
def list_keys(settings: SettingsFile = None, as_json: AsJson = False, demo: OfDemo = False) -> None:
    """List the keys of the workspace; never the secrets."""
    from goodname.admin import list_api_keys

    list_api_keys(settings, as_json=as_json, demo=demo)


@keys.command("revoke")
def revoke_key(prefix: str, settings: SettingsFile = None, demo: OfDemo = False) -> None:
    """Revoke a key by its prefix, at once."""
    from goodname.admin import revoke_api_key

    revoke_api_key(settings, prefix, demo=demo)


@app.command()
def rejudge(
    brand: OfBrand = None,
    since: Annotated[
        str | None, typer.Option(help="Only published (else seen) since 2026-03-01, or 90d ago.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many are outdated, and queue nothing.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show how far it is.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End what is under way.")] = False,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    demo: OfDemo = False,
) -> None:
    """Grade old mentions again by the judge of today, in the background; wakes nobody."""
    from goodname import rejudge as room

    if status:
        room.show_status(settings, as_json=as_json, demo=demo)
    elif stop:
        room.stop_runs(settings, demo=demo)
    else:
        room.rejudge(
            settings, brand=brand, since=since, dry_run=dry_run, as_json=as_json, demo=demo
        )


@corrections.command("export")
def export_corrections(
    out: Annotated[str, typer.Option(help="File to write, .gz packs it; - is standard output.")],
    brand: OfBrand = None,
    since: Annotated[
        str | None, typer.Option(help="Only corrected since 2026-03-01, or 90d ago.")
    ] = None,
    settings: SettingsFile = None,
    demo: OfDemo = False,
) -> None:
    """Write what people corrected as JSON lines to train on, without author or address."""
    from goodname.corrections import export_corrections as export

    export(settings, out, brand=brand, since=since, demo=demo)


@corrections.command("agreement")
def show_agreement(
    brand: OfBrand = None,
    since: Annotated[
        str | None, typer.Option(help="Only corrected since 2026-03-01, or 90d ago.")
    ] = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    demo: OfDemo = False,
) -> None:
    """Show how far each judge agrees with the people who corrected it."""
    from goodname.corrections import show_agreement as show

    show(settings, brand=brand, since=since, as_json=as_json, demo=demo)


@app.command()
def judge(
    text: Annotated[str, typer.Argument(help="A text; or a file of JSON lines, - for stdin.")],
    out: Annotated[
        str | None, typer.Option(help="Judge a file, and write here; .gz packs it, - is stdout.")
    ] = None,
    text_field: Annotated[str, typer.Option(help="Field that holds the text.")] = "text",
    lang_field: Annotated[
        str | None, typer.Option(help="Field with the language, where the lines tell it.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add how probable each answer is.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin the output anew.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Another judge than the settings': a name or a folder.")
    ] = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
) -> None:
    """Explain the grade of a text, or judge a file of millions; an interrupted one goes on."""
    from goodname.judging.command import Wanted
    from goodname.judging.command import judge as run
    from goodname.judging.row import Fields

    fields = Fields(text=text_field, language=lang_field, probabilities=probabilities)
    sys.exit(
        run(
            Wanted(what=text, out=out, fields=fields, model=model, as_json=as_json,
                   overwrite=overwrite, settings=settings)
        )
    )  # fmt: skip


@app.command()
def evaluate(
    data: Annotated[
        list[Path] | None, typer.Argument(help="Labelled JSON lines (.gz), or folders of them.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A judge, by name or folder; several stand side by side."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to use; all: every line.")] = "test",
    limit: Annotated[
        int | None, typer.Option(help="At most so many texts of each set and language.")
    ] = None,
    goals: Annotated[
        bool, typer.Option("--goals", help="The sets that have a goal, and our own posts.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a report (Markdown, JSON) and plots.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Judge anew what an earlier run judged.")
    ] = False,
    as_json: AsJson = False,
    settings: SettingsFile = None,
) -> None:
    """Measure how well a judge does on labelled texts, by data set, language and class."""
    from goodname.evaluating.command import Evaluation
    from goodname.evaluating.command import evaluate as run

    run(
        Evaluation(data=tuple(data or ()), models=tuple(model or ()), split=split, limit=limit,
                   goals=goals, out=out, fresh=fresh, as_json=as_json, settings=settings)
    )  # fmt: skip


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("goodname"))
