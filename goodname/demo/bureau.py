"""The fair trade bureau: complaints as cases with a status, in the markup family of BBB."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from goodname.demo.names import Name
from goodname.demo.page import Place, missing, page
from goodname.demo.pager import asked_page, cut
from goodname.demo.posts import Site
from goodname.demo.web import Request, Response
from goodname.demo.world import Shown

PER_PAGE = 10
ROOT = "/bureau"  #: what stands before a profile in its address
_BUREAU, _FIRM = "1204", "90017733"


def profile(brand: Name) -> str:
    """The path of the firm's profile below ``ROOT``, without a slash around it."""
    return f"gb/ha/harrowmere/profile/appliances/{brand.slug}-{_BUREAU}-{_FIRM}"


def complaints_page(request: Request, place: Place, *, asked_profile: str) -> Response:
    """The cases of one firm, newest first; past the end there is nothing."""
    own = profile(place.world.names.brand)
    if asked_profile != own:
        return missing(place)
    asked = asked_page(request.query.get("page"))
    part = cut(place.world.shown(Site.BUREAU), number=asked, size=PER_PAGE)
    if asked > part.pages:
        return missing(place)
    answer = page(
        "bureau.html.j2",
        place=place,
        part=part,
        address=f"{ROOT}/{own}/complaints",
        bureau_date=bureau_date,
        element_id=element_id,
    )
    return replace(answer, changed_at=place.world.changed_at(Site.BUREAU), posts=part.ids)


def element_id(post: Shown) -> str:
    """The id of a case on its page: bureau, firm, case."""
    return f"{_BUREAU}_{_FIRM}_{post.id}"


def bureau_date(moment: datetime) -> str:
    """The day as the bureau writes it: "09/28/2026"."""
    return f"{moment:%m/%d/%Y}"
