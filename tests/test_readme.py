"""What the documents name exists, and what exists is named."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import typer

from api.app import create_app
from core.database import Urls
from core.settings import Settings
from crawlers.catalogue import spiders
from goodname.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _commands() -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_command_is_in_the_readme_and_the_reverse() -> None:
    named = set(re.findall(r"^\| `goodname (\w+)", README, flags=re.M))
    assert named == _commands()
    for document in DOCUMENTS:
        used = set(re.findall(r"goodname (\w+)", _code(document)))
        assert used <= _commands() | {"goodname"}, document.name


def test_every_source_kind_is_in_the_readme_and_the_reverse() -> None:
    table = README.split("## Sources")[1].split("##")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, flags=re.M)) == set(spiders())


def test_every_link_to_a_file_leads_somewhere() -> None:
    for document in DOCUMENTS:
        body = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", body):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_route_named_in_the_documents_exists() -> None:
    urls = Urls(owner="postgresql:///nowhere", app="postgresql:///nowhere")
    api = create_app(Settings(), urls, clock=lambda: datetime.now(UTC))
    served = api.openapi()["paths"]
    shapes = {re.sub(r"\{[^}]+\}", "*", path) for path in served}
    for document in DOCUMENTS:
        body = document.read_text(encoding="utf-8")
        for path in set(re.findall(r"/v1/[a-z0-9/$A-Z_{}-]+", body)):
            shape = re.sub(r"\{[^}]+\}|\$[A-Z]+", "*", path.rstrip("/"))
            assert shape in shapes, f"{document.name} names {path}"


def _code(document: Path) -> str:
    body = document.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```|^((?:    \S.*\n)+)|`([^`\n]+)`", body, flags=re.S | re.M)
    text = "\n".join("".join(block) for block in blocks)
    return re.sub(r"goodname\.\w+|#.*", "", text)
