"""A web server on loopback for the tests of sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crawlers.site import Site, serving


@pytest.fixture
def web() -> Iterator[Site]:
    with serving() as site:
        yield site
