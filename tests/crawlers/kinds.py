"""Which kinds the suite tries with thousands of hostile inputs, and which only the long proofs."""

from __future__ import annotations

import pytest

from crawlers.catalogue import spiders
from crawlers.contract import Spider


def one_of_each_family() -> list[object]:
    """All kinds as parameters: those that share their reading with an earlier one are ``slow``."""
    met: set[type] = {Spider}
    found: list[object] = []
    for kind, spider in sorted(spiders().items()):
        family = type(spider).__mro__[1]
        is_alike = family in met and family is not Spider
        found.append(pytest.param(kind, marks=pytest.mark.slow if is_alike else ()))
        met.add(family)
    return found
