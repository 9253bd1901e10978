from __future__ import annotations

import pytest

from core.database import conninfo, owner_engine
from core.errors import DatabaseError


@pytest.mark.parametrize("address", ["nonsense", "postgresql://me:secret@host:port/goodname"])
def test_an_unreadable_address_is_a_plain_error_that_shows_no_password(address: str) -> None:
    for use in (owner_engine, conninfo):
        with pytest.raises(DatabaseError, match="cannot be read") as caught:
            use(address)
        assert "secret" not in str(caught.value)
