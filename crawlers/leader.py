"""One of several schedulers leads: who holds an advisory lock on a connection of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg
import structlog

from core.advisory import AdvisoryLock
from core.database import conninfo

log = structlog.get_logger()
_ANSWER_SECONDS = 3.0
_FAREWELL_SECONDS = 1.0


class Leadership:
    """A claim to lead; the server takes it back when the connection ends, however it ends."""

    def __init__(self, url: str) -> None:
        self._conninfo = conninfo(url)
        self._connection: psycopg.AsyncConnection | None = None
        self._leads = False

    async def hold(self) -> bool:
        """Take the lock, or make sure that it is still ours; False when we do not lead."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._hold()
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("leadership_lost" if self._leads else "leadership_unreachable",
                        error=f"{type(error).__name__}: {error}".strip()[:200])  # fmt: skip
            await self.release()
            return False

    async def _hold(self) -> bool:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="goodname-scheduler-lock"
            )
        if self._leads:
            await self._connection.execute("SELECT 1")
            return True
        cursor = await self._connection.execute(
            "SELECT pg_try_advisory_lock(%s)", (AdvisoryLock.LEADER,)
        )
        row = await cursor.fetchone()
        self._leads = bool(row and row[0])
        if self._leads:
            log.info("leadership_taken")
        return self._leads

    async def release(self) -> None:
        """Let another lead, at once if the server still hears us."""
        self._leads = False
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(psycopg.Error, OSError, TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await connection.execute("SELECT pg_advisory_unlock_all()")
        await connection.close()
