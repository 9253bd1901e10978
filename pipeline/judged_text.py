"""The one string that the judge reads of a post, and to which the spans of its reasons point."""

from __future__ import annotations

#: No person writes more; a judge's time grows with the text.
LONGEST_JUDGED = 100_000


def judged_text(title: str | None, text: str) -> str:
    """Title, an empty line and text; without a title the text alone.

    Build it from the version that ``mention.post_version`` names: ``post_version`` holds the
    earlier ones.
    """
    whole = f"{title}\n\n{text}" if title else text
    return whole[:LONGEST_JUDGED]
