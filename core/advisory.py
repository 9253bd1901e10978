"""The numbers of our advisory locks: one space for the whole database, so they stand together.

Two locks of one number exclude each other across rooms: a leader that holds its own for life
would keep every housekeeper out.
"""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Who excludes his like with which number; processes of two versions must agree on them."""

    MIGRATION = 7_200_114_511
    CRAWL_SWEEP = 7_305_001
    LEADER = 7_305_002
    HOUSEKEEPING = 7_305_003
    REJUDGING = 7_305_004
