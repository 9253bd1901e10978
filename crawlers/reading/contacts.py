"""How to reach whoever wrote: APIs tell owners of it, and we neither need nor keep it."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
#: Names seen: ``reviewer_email``, ``authorEmail``, ``author_ip``, ``remote_addr``, ``phoneNumber``;
#: and ``iphone``, ``zip``, ``membership``, which are none.
_NAMED: Final = re.compile(
    r"""
    (?P<name>
        (?P<quote>["'])
        (?: [\w-]{0,60}[_-] | [a-z]\w{0,60}(?=[A-Z]) )?
        (?i: e-?mails? (?:[_-]?address (?:es)?)? | mail | (?:tele)?phones? (?:[_-]?numbers?)?
            | ip (?:[_-]?addr (?:ess)?)? | remote[_-]?addr (?:ess)? )
        (?P=quote) \s{0,20} : \s{0,20}
    )
    (?: "(?:[^"\\]|\\.)+" | '(?:[^'\\]|\\.)+' | \[[^\[\]{}]*\] | [0-9]{5,} )
    """,
    re.X | re.A | re.S,
)


def without_contacts(written: str) -> str:
    """JSON, or a value of Python as it is shown, without the addresses and numbers of people.

    All else stays as it was written. What an address is called is decided by its field.
    """
    return _NAMED.sub(rf'\g<name>"{HIDDEN}"', written)
