"""What can go wrong between a post and a person."""

from __future__ import annotations

from core.errors import GoodnameError


class PipelineError(GoodnameError):
    """The root of this package's errors."""


class UnstorableError(PipelineError):
    """A post holds something that no row can hold; it becomes a dead letter."""


class QueryError(PipelineError):
    """A brand's query cannot be read; ``position`` counts characters from 0."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class TransitionError(PipelineError):
    """The alert cannot be moved so from where it stands."""
