"""Pages from the templates beside this module; everything in them is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from goodname.demo.web import HTML, Response
from goodname.demo.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sites stand, and the world that they show."""

    world: World
    base_url: str  #: without a slash at the end


def page(
    name: str, *, place: Place, status: HTTPStatus = HTTPStatus.OK, **values: object
) -> Response:
    """Fill the template ``name`` and answer with it."""
    return Response(body=fill(name, place=place, **values), content_type=HTML, status=status)


def fill(name: str, *, place: Place, **values: object) -> bytes:
    """Fill the template ``name``; XML templates are escaped like HTML."""
    template = _templates().get_template(name)
    names = place.world.names
    return template.render(
        base_url=place.base_url, brand=names.brand, rival=names.rival, **values
    ).encode()


def missing(place: Place, *, is_gone: bool = False) -> Response:
    """404, or 410 for what was deleted."""
    status = HTTPStatus.GONE if is_gone else HTTPStatus.NOT_FOUND
    return page("missing.html.j2", place=place, status=status, is_gone=is_gone)


@cache
def style() -> bytes:
    """The one style sheet."""
    return (resources.files("goodname.demo") / "pages" / "style.css").read_bytes()


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("goodname.demo", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
