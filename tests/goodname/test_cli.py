"""The command line as a person meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.migrate import downgrade
from core.models import AlertRule, Brand, Source, SourceKind, Workspace
from core.settings import Settings
from goodname.announce import announce_ready, announce_start
from goodname.doctor import Finding, report

ROOT = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "scrapy", "twisted", "fastapi", "numpy", "procrastinate", "pydantic", "rich")


def _run(*arguments: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goodname", *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "COLUMNS": "100", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['goodname', '--help']\n"
        "from goodname.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "doctor" in ran.stdout
    assert ran.stdout.strip().endswith("[]")


def test_a_mistake_in_the_settings_is_one_line_and_not_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[api]\nprot = 1\n", encoding="utf-8")
    ran = _run("up", "--settings", str(file))
    assert ran.returncode == 1
    assert ran.stderr.strip() == (
        f"goodname: {file}: unknown key 'api.prot'; did you mean 'api.port'?"
    )


def test_a_database_that_is_down_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://someone:hunter2@/nothing?host={tmp_path}"
    ran = _run("migrate", DATABASE_URL=url)
    assert ran.returncode == 1
    assert "cannot reach the database" in ran.stderr
    assert "hunter2" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("worker", "--queue", "judge,crawl"), "crawl needs a worker of its own"),
        (("worker", "--queue", "jugde"), "unknown queue 'jugde'; known: crawl, judge, deliver"),
        (("keys", "create", "x", "--role", "king"), "unknown role 'king'; known: owner"),
        (("crawl", "nowhere"), "unknown source 'nowhere'; known: none yet"),
        (("keys", "revoke", "gn_x"), "no key with the prefix 'gn_x'"),
        (("rejudge", "--brand", "nobody"), "unknown brand 'nobody'; known: none yet"),
        (("rejudge", "--since", "lately"), "--since 'lately' cannot be read; say 2026-03-01"),
    ],
)
def test_a_wrong_word_is_an_error_that_names_the_right_ones(
    database_url: str, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = _run(*arguments, DATABASE_URL=database_url)
    assert ran.returncode == 1
    assert complaint in ran.stderr
    assert "Traceback" not in ran.stderr


def test_migrating_alone_makes_a_database_ready_to_watch(engine: Engine, tmp_path: Path) -> None:
    downgrade(engine)
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    file = tmp_path / "settings.toml"
    brand = '[[brands]]\nslug = "acme"\nname = "Acme"\n'
    feed = '[[sources]]\nslug = "news"\nkind = "feed"\nparams = { url = "https://x.example/" }\n'
    file.write_text(f'[workspace]\nname = "ours"\n{brand}{feed}', encoding="utf-8")
    ran = _run("migrate", "--settings", str(file), DATABASE_URL=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"migrated to the newest tables\nread {file}\n"
    with Session(engine) as session:
        assert session.get(SourceKind, "feed") is not None
        assert session.scalars(select(Workspace.name)).all() == ["ours"]
        assert session.scalars(select(Brand.slug)).all() == ["acme"]
        assert session.scalars(select(Source.slug)).all() == ["news"]
        assert session.scalars(select(AlertRule.slug)).all() == ["default"]
    (tmp_path / "elsewhere").mkdir()
    bare = _run("migrate", cwd=tmp_path / "elsewhere", DATABASE_URL=url)
    assert "no settings file here: what was declared stays as it is" in bare.stdout
    with Session(engine) as session:
        assert session.scalars(select(Brand.is_active)).all() == [True]
        assert session.scalars(select(Workspace.name)).all() == ["ours"]
    file.write_text(f'[workspace]\nname = "ours"\n{feed}', encoding="utf-8")
    again = _run("migrate", "--settings", str(file), DATABASE_URL=url)
    assert again.stdout == f"nothing to migrate\nread {file}\n"
    with Session(engine) as session:
        assert session.scalars(select(Brand.is_active)).all() == [False]


def test_a_key_is_made_listed_and_revoked(database_url: str) -> None:
    made = _run("keys", "create", "desk", "--role", "analyst", DATABASE_URL=database_url)
    assert made.returncode == 0, made.stderr
    shown = made.stdout.strip()
    listed = _run("keys", "list", "--json", DATABASE_URL=database_url).stdout
    assert '"desk"' in listed
    assert shown not in listed
    prefix = listed.split('"prefix": "')[1].split('"')[0]
    assert _run("keys", "revoke", prefix, DATABASE_URL=database_url).returncode == 0
    again = _run("keys", "list", "--json", DATABASE_URL=database_url).stdout
    assert '"revoked_at": null' not in again


def test_the_doctor_names_what_is_missing_and_what_to_do(database_url: str) -> None:
    ran = _run("doctor", DATABASE_URL=database_url)
    assert ran.returncode == 1
    assert "process crawl: no sign of life" in ran.stdout
    assert "goodname worker --queue crawl" in ran.stdout
    assert "tables: the newest" in ran.stdout


def test_the_doctor_takes_no_name_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    found = Finding("quota of x, credential '[/red]'", False, "[bold]spent[/bold]", "[wait]")
    assert report([found], as_json=False) == 1
    said = capsys.readouterr().out
    assert "FAIL quota of x, credential '[/red]': [bold]spent[/bold]" in said
    assert "[wait]" in said


def test_what_only_looks_like_an_address_is_said_in_a_line() -> None:
    ran = _run("sources", "preview", "http://[::1")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "goodname: http://[::1 is no address" in ran.stderr


def test_json_stands_alone_on_standard_output(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("kind: [", "utf-8")
    ran = _run("sources", "list", "--json", GOODNAME_CRAWL__SITES=str(tmp_path))
    assert any(one["kind"] == "feed" for one in json.loads(ran.stdout))
    assert "broken.yaml" in ran.stderr


def test_a_key_stands_alone_on_standard_output(tmp_path: Path) -> None:
    """Also when the command has to start the embedded database itself."""
    env = {"GOODNAME_DATABASE__DATA_DIR": str(tmp_path / "data")}
    made = _run("keys", "create", "desk", "--demo", **env)
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.split()) == 1
    assert made.stdout.startswith("gn_")
    listed = json.loads(_run("keys", "list", "--demo", "--json", **env).stdout)
    assert [key["name"] for key in listed] == ["desk"]
    assert json.loads(_run("keys", "list", "--json", **env).stdout) == []


def test_addresses_are_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"https://board.example/{'firms-and-their-kettles/' * 6}reviews"
    found = Finding("source board", False, f"error: HTTP 404 ({address})", f"look at {address}")
    report([found], as_json=False)
    settings = Settings.model_validate({"api": {"public_url": address}})
    announce_start(settings, first_key=None)
    announce_ready(settings, seconds=1.0, first_key=None)
    assert capsys.readouterr().out.count(address) == 4
