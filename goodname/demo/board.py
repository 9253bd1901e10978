"""The complaint board, in the markup family of ConsumerAffairs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from goodname.demo.page import Place, missing, page
from goodname.demo.pager import asked_page, cut
from goodname.demo.posts import Site
from goodname.demo.web import Request, Response, redirect

PER_PAGE = 8
CATEGORY = "home"

_MONTHS = (
    "Jan. Feb. March April May June July Aug. Sept. Oct. Nov. Dec.".split()  # noqa: SIM905
)


def company_page(request: Request, place: Place, *, category: str, company: str) -> Response:
    """The complaints about one firm; a number past the end leads to the last page."""
    if (category, company) != (CATEGORY, place.world.names.brand.slug):
        return missing(place)
    asked = asked_page(request.query.get("page"))
    part = cut(place.world.shown(Site.BOARD), number=asked, size=PER_PAGE)
    address = f"{place.base_url}/board/{category}/{company}.html"
    if asked > part.pages:
        return redirect(f"{address}?page={part.pages}")
    answer = page("board.html.j2", place=place, part=part, address=address, board_date=board_date)
    return replace(answer, changed_at=place.world.changed_at(Site.BOARD), posts=part.ids)


def review_page(place: Place, *, review_id: str) -> Response:
    """One complaint on a page of its own."""
    post = place.world.find(Site.BOARD, review_id)
    if post is None:
        return missing(place, is_gone=place.world.is_gone(Site.BOARD, review_id))
    answer = page("board_review.html.j2", place=place, post=post, board_date=board_date)
    return replace(answer, changed_at=post.changed_at, posts=(post.id,))


def board_date(moment: datetime) -> str:
    """The day as the board writes it: "Sept. 28, 2018"."""
    return f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year}"
