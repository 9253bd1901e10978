"""Templates: everything that somebody else wrote is escaped, and links lead out safely."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

_HERE = Path(__file__).parent


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> HTMLResponse:
    """Answer with a whole page."""
    body = render_text(template, path=request.url.path, **context)
    return HTMLResponse(body, status_code=status, headers=dict(headers or {}))


def render_text(template: str, **context: object) -> Markup:
    """Render a template to text that counts as escaped."""
    return Markup(_environment().get_template(template).render(**context))  # noqa: S704


def external(url: str | None) -> str | None:
    """The address if a browser may follow it, else None: only http and https lead out."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def host(url: str | None) -> str:
    """The site's name, to show where a link leads before it is followed."""
    safe = external(url)
    return (urlsplit(safe).hostname or "") if safe else ""


def moment(at: datetime | None, style: str = "relative") -> Markup:
    """A time element in UTC; the page's script turns it into "2 min ago"."""
    if at is None:
        return Markup("–")
    at = at.astimezone(UTC)
    shown = at.strftime("%H:%M:%S" if style == "clock" else "%d %b %Y %H:%M UTC")
    return Markup('<time datetime="{}" data-style="{}">{}</time>').format(
        at.isoformat(timespec="milliseconds"), style, shown
    )


def duration(seconds: float | None) -> str:
    """A length of time as people say it."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f} s"


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a file of ours; it changes with the file, so browsers may keep it."""
    digest = hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a process serves what it started with, also while files change
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "external": external,
        "host": host,
        "moment": moment,
        "duration": duration,
    }
    environment.globals["asset"] = asset
    return environment
