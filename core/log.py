"""Structured logs: events with fields, never prose, secrets or whole texts."""

from __future__ import annotations

import logging
import sys

import structlog

from core.public_address import shown_words

# Their INFO tells of every job, request and revision; our own events say it with fields.
_CHATTY = (
    "alembic",
    "apscheduler",
    "httpx",
    "procrastinate",
    "scrapy",
    "twisted",
    "uvicorn",
)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class LinkToFollow(str):
    """An address that a person is to open, of a post or of our own page: logs keep it whole.

    For what is public anyway, and never for the address of a request or of a source.
    """

    __slots__ = ()


def configure_logging(*, level: str, style: str, process: str) -> None:
    """Send all logs of this process, also those of libraries, to stderr in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        with_public_addresses,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=20, sort_keys=False
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)


def with_public_addresses(
    logger: object,  # noqa: ARG001
    method: str,  # noqa: ARG001
    event: structlog.typing.EventDict,
) -> structlog.typing.EventDict:
    """Errors of libraries, and what they were raised from, name addresses as they were asked."""
    return {name: _public(value) for name, value in event.items()}


def _public(value: object) -> object:
    is_text = isinstance(value, str) and not isinstance(value, LinkToFollow)
    return shown_words(str(value)) if is_text else value
