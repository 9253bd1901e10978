"""Whose fault it is that a judge broke: the text's, or the judge's own."""

from __future__ import annotations

from typing import Final

from sentiment.judge import Judge

#: Anybody can judge this. It has to be a sentence: of an empty text no checkpoint is asked.
PLAIN: Final = "The parcel arrived on Monday, as announced."


def raise_unless_it_judges(judge: Judge) -> None:
    """To be asked after the judge broke on a text, before the text is given up.

    Raises what the judge raises when it breaks on a plain sentence too: no memory is left, or its
    GPU is lost, and whatever it was asked next would be given up for nothing.
    """
    judge([PLAIN])
