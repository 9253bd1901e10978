"""The texts of the demo: five files of our own, or one JSON file that replaces them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from core.errors import GoodnameError

LANGUAGES = ("en", "pl", "lt", "hr")
# What XML 1.0 cannot hold: a feed with one such sign would be unreadable as a whole.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Words = Annotated[str, Field(min_length=1, max_length=100_000)]


class TextsError(GoodnameError):
    """The file of texts cannot be read; the message names the file and the place."""


class Site(StrEnum):
    """The five sites of the demo."""

    BOARD = "board"
    REVIEWS = "reviews"
    FORUM = "forum"
    SOCIAL = "social"
    BUREAU = "bureau"  #: complaints as cases, with their status; only what is meant for it


class Role(StrEnum):
    """What a text is for; all but ``ordinary`` come at a fixed second on a fixed site."""

    ORDINARY = "ordinary"
    INCIDENT = "incident"
    COPY = "copy"
    EDIT = "edit"
    DELETE = "delete"
    CASE = "case"  #: a complaint at the bureau
    THREAD = "thread"  #: a story of the social site that collects comments


class About(StrEnum):
    """Whom a text is about."""

    BRAND = "brand"
    RIVAL = "rival"
    BOTH = "both"
    NONE = "none"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Edited(_Frozen):
    """What a text becomes later."""

    at: float  #: seconds after the start
    text: Words
    title: str | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    severity: str | None = None


class Step(_Frozen):
    """What becomes of a case of the bureau, and who says what of it."""

    at: float  #: seconds after the start
    status: Words
    firm: Words | None = None
    customer: Words | None = None


class Text(_Frozen):
    """One text with placeholders for the names; ``severity`` is for tests and never served."""

    key: str = ""
    lang: str = "en"
    text: Words
    title: str | None = None
    role: Role = Role.ORDINARY
    about: About = About.BRAND
    severity: str | None = None
    trap: str | None = None
    author: str | None = None  #: "first name|town"
    voice: Literal["f", "m"] | None = None  #: whose name must stand under it: grammar tells
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    votes: Annotated[int, Field(ge=0)] = 0
    reply: str | None = None  #: the firm's public answer
    site: Site | None = None
    at: float | None = None  #: seconds after the start, negative for before it
    edited: Edited | None = None
    case: tuple[Step, ...] = ()  #: in the order of their times
    deleted_at: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_timed(self) -> Self:
        if self.role is not Role.ORDINARY and (self.site is None or self.at is None):
            raise ValueError(f"a text with the role {self.role} needs site and at")
        return self


class Pool(_Frozen):
    """All texts of one demo."""

    ordinary: tuple[Text, ...]
    script: tuple[Text, ...]
    authors: Mapping[str, Mapping[str, tuple[str, ...]]]  #: language → voice → "first name|town"


def own_pool() -> Pool:
    """Read the texts that come with Goodname."""
    folder = resources.files("goodname.demo") / "pool"
    parts = {
        name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
        for name in ("script", *LANGUAGES)
    }
    return Pool(
        ordinary=tuple(
            Text(**{"lang": lang} | post) for lang in LANGUAGES for post in parts[lang]["posts"]
        ),
        script=tuple(Text(**post) for post in parts["script"]["posts"]),
        authors={lang: parts[lang]["authors"] for lang in LANGUAGES},
    )


def pool_from(path: Path) -> Pool:
    """Read a JSON list of strings or of objects with the fields of ``Text``.

    Without any text that has a role, our own script (the fire and its copies) is kept.
    """
    try:
        given = _TEXTS.validate_json(path.read_bytes())
    except OSError as error:
        raise TextsError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise TextsError(f"{path}: {place}: {first['msg']}") from None
    texts = tuple(_keyed(given))
    own = own_pool()
    script = tuple(text for text in texts if text.role is not Role.ORDINARY)
    return Pool(
        ordinary=tuple(text for text in texts if text.role is Role.ORDINARY),
        script=script or own.script,
        authors=own.authors,
    )


_TEXTS: TypeAdapter[list[Text]] = TypeAdapter(list[Text])


def _keyed(given: list[Text]) -> Iterator[Text]:
    for number, text in enumerate(given):
        changes: dict[str, Any] = {"text": readable(text.text), "key": text.key or f"text-{number}"}
        if text.title:
            changes["title"] = readable(text.title)
        yield text.model_copy(update=changes)


def readable(text: str) -> str:
    """Replace the signs that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
