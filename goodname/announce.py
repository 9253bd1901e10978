"""What `up` tells the person at the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel

from core.settings import Settings

_console = Console(highlight=False)


def page_url(settings: Settings) -> str:
    """Where people find the page."""
    host = f"[{settings.api.host}]" if ":" in settings.api.host else settings.api.host
    return settings.api.public_url or f"http://{host}:{settings.api.port}"


def announce_start(settings: Settings, *, first_key: str | None, is_demo: bool = False) -> None:
    """Say that the database is there and the processes follow; show a new key once."""
    _console.print(f"Goodname: starting; the page will be at {page_url(settings)}", soft_wrap=True)
    if first_key:
        _console.print(
            Panel(
                f"[bold]{first_key}[/bold]\n\n"
                "Your first admin key. It is shown this once: keep it.\n"
                f"Lost it? `goodname keys create NAME --role admin{' --demo' if is_demo else ''}`"
                " makes another.",
                title="API key",
                expand=False,
            )
        )


def announce_ready(settings: Settings, *, seconds: float, first_key: str | None) -> None:
    """Say where to look."""
    login = "the key above" if first_key else "your API key"
    _console.print(
        f"Goodname: ready after {seconds:.1f} s. Open {page_url(settings)} and log in with {login}."
        " Ctrl-C stops everything.",
        soft_wrap=True,
    )
