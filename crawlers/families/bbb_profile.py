"""The address of a firm's profile at the Better Business Bureau, and what stands in it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from crawlers.contract import Config
from crawlers.reading.web_address import WebAddress

# "/us/tx/tulsa/profile/grills/kavira-1116-90012345/complaints": the id of the bureau, then that
# of the firm; a page of it or of one of its branches may follow.
_PATH = re.compile(
    r"/?(?P<profile>[a-z]{2}/[a-z]{2}/[^/]+/profile/[^/]+/[^/]*-\d{4}-\d+)"
    r"(?:/addressId/\d+)?(?:/(?:complaints|customer-reviews|details))?/?",
    re.I,
)


def _checked(address: str) -> str:
    found = _PATH.fullmatch(urlsplit(address.strip()).path)
    if found is None:
        raise ValueError(
            "a profile's address ends in the ids of the bureau and the firm, e.g. "
            "https://www.bbb.org/us/ok/tulsa/profile/grills/kavira-1116-90012345"
        )
    return str(found["profile"])


class BbbConfig(Config):
    """A firm, by its profile."""

    #: Its path, without a slash around it; given as that or as a whole address.
    profile: Annotated[
        str,
        Field(max_length=1000, description="address of the firm's profile on bbb.org"),
        AfterValidator(_checked),
    ]
    base_url: WebAddress = "https://www.bbb.org"

    def address(self, page: str = "") -> str:
        """Where the profile is, or one of its pages."""
        return "/".join(filter(None, (self.base_url.rstrip("/"), self.profile, page)))

    @property
    def bureau_id(self) -> str:
        """The bureau that keeps the profile."""
        return self.profile.rsplit("-", 2)[1]

    @property
    def firm_id(self) -> str:
        """The firm, within its bureau."""
        return self.profile.rsplit("-", 1)[1]
