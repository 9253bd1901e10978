"""Times at which a site of the demo shuts itself to everybody, and opens again."""

from __future__ import annotations

from dataclasses import dataclass

from goodname.demo.posts import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A site shows a challenge in place of its pages, with the status 200 as many do."""

    site: Site
    since: float  #: seconds after the start
    until: float


#: After the story of the fire and its edits are told, so that nothing of them is held up.
OUTAGES = (Outage(site=Site.REVIEWS, since=125, until=165),)
