"""Params that a site's file declares, as the config of its spider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)

from crawlers.contract import Config
from crawlers.reading.web_address import WebAddress

#: One step of a path: what a param without a pattern may be.
STEP = r"(?!\.{1,2}$)[^\s/?#%\\]+"


class Param(BaseModel):
    """One setting of a source of this site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["text", "number", "address"] = "text"
    about: str = ""
    pattern: str = STEP  #: of a text, from its first to its last sign
    longest: Annotated[int, Field(ge=1, le=2000)] = 200
    default: str | int | None = None

    @model_validator(mode="after")
    def _is_sound(self) -> Param:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: no regular expression: {error}") from None
        if self.default is not None:
            self._check_default()
        return self

    def _check_default(self) -> None:
        given = str(self.default) if self.type == "text" else self.default
        try:
            create_model("One", value=_field(self)).model_validate({"value": given})
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"default: {self.default!r}: {said}") from None


def config_of(kind: str, params: Mapping[str, Param], *, base_url: str | None) -> type[Config]:
    """A class of configs; its JSON schema is what the API checks."""
    fields: dict[str, Any] = {name: _field(param) for name, param in params.items()}
    if base_url is not None:
        fields["base_url"] = (WebAddress, base_url)
    name = "".join(word.capitalize() for word in kind.split("-"))
    made: type[Config] = create_model(f"{name}Config", __base__=Config, **fields)
    return made


def _field(param: Param) -> tuple[Any, Any]:
    default: Any = ... if param.default is None else param.default
    about = param.about or None
    if param.type == "address":
        return WebAddress, Field(default, description=about)
    if param.type == "number":
        return int, Field(default, ge=0, lt=10**18, description=about)
    whole = f"^(?:{param.pattern})$"
    said = Annotated[str, AfterValidator(_fitting(whole))]
    return said, Field(
        default if param.default is None else str(default),
        min_length=1,
        max_length=param.longest,
        description=about,
        # For those who see only the JSON Schema, such as the API.
        json_schema_extra={"pattern": whole},
    )


def _fitting(whole: str) -> Any:
    expression = re.compile(whole)

    def check(value: str) -> str:
        if not expression.fullmatch(value):
            raise ValueError(f"does not fit the pattern {whole}")
        return value

    return check
