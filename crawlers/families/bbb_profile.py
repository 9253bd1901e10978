"""The address of a firm's profile at the Better Business Bureau, and what stands in it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field

from crawlers.contract import Config
from crawlers.reading.web_address import WebAddress

# "/us/tx/tulsa/profile/grills/kavira-1116-90012345/complaints": the id of the bureau, then that
# of the firm; a page of it or of one of its branches may follow.
_PATH = re.compile(
    r"(?P<profile>/[a-z]{2}/[a-z]{2}/[^/]+/profile/[^/]+/[^/]*-(?P<bureau>\d{4})-(?P<firm>\d+))"
    r"(?:/addressId/\d+)?(?:/(?:complaints|customer-reviews|details))?/?",
    re.I,
)


def _checked(address: str) -> str:
    parts = urlsplit(address)
    found = _PATH.fullmatch(parts.path)
    if found is None:
        raise ValueError(
            "a profile's address ends in the ids of the bureau and the firm, e.g. "
            "https://www.bbb.org/us/tx/tulsa/profile/grills/kavira-1116-90012345"
        )
    return urlunsplit((parts.scheme, parts.netloc, str(found["profile"]), "", ""))


#: The address of a profile, or of its complaints or reviews.
ProfileAddress = Annotated[
    WebAddress,
    Field(description="the firm's profile on bbb.org"),
    AfterValidator(_checked),
]


class BbbConfig(Config):
    """A firm, by the address of its profile."""

    url: ProfileAddress

    @property
    def bureau_id(self) -> str:
        """The bureau that keeps the profile."""
        return self._ids()[0]

    @property
    def firm_id(self) -> str:
        """The firm, within its bureau."""
        return self._ids()[1]

    def _ids(self) -> tuple[str, str]:
        bureau, firm = urlsplit(self.url).path.rsplit("-", 2)[-2:]
        return bureau, firm
