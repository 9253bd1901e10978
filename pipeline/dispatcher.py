"""Sends many deliveries at once, so that one slow receiver holds up none of the others."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from pipeline.deliver import Claimed, Mailroom, carry, claim_due

log = structlog.get_logger()


class Dispatcher:
    """A number of sending threads over the outbox.

    A sending that hangs at the end of the process is abandoned: its lease runs out, and it is
    sent again.
    """

    def __init__(self, room: Mailroom, *, threads: int = 32, batch_size: int = 50) -> None:
        self._room = room
        self._threads = threads
        self._batch_size = batch_size
        self._changed = threading.Condition()
        self._looking = threading.Lock()
        self._sending = 0
        self._is_closed = False

    def look(self) -> int:
        """Claim what is due, as far as threads are free, and begin to send it; returns at once."""
        with self._looking:
            with self._changed:
                free = 0 if self._is_closed else self._threads - self._sending
            if free <= 0:
                return 0
            claimed = claim_due(self._room, limit=min(free, self._batch_size))
            with self._changed:
                self._sending += len(claimed)
        for one in claimed:
            threading.Thread(
                target=self._carry, args=(one,), name=f"delivery-{one.id}", daemon=True
            ).start()
        return len(claimed)

    def close(self, *, timeout: float) -> bool:
        """Begin nothing more and wait for what is on its way; False when something still hangs."""
        with self._changed:
            self._is_closed = True
            return self._changed.wait_for(lambda: self._sending == 0, timeout=timeout)

    def idle(self, *, timeout: float) -> bool:
        """Wait until nothing is on its way."""
        with self._changed:
            return self._changed.wait_for(lambda: self._sending == 0, timeout=timeout)

    def _carry(self, one: Claimed) -> None:
        try:
            carry(self._room, one)
        except SQLAlchemyError as error:
            # The lease runs out and the delivery is sent again, with the same key.
            log.warning("delivery_not_settled", delivery_id=one.id, reason=type(error).__name__)
        except Exception:
            log.exception("delivery_broke", delivery_id=one.id)
        finally:
            with self._changed:
                self._sending -= 1
                self._changed.notify_all()
        try:
            self.look()  # more may wait than could be taken at once
        except SQLAlchemyError as error:
            log.warning("outbox_not_read", reason=type(error).__name__)
