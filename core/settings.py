"""Settings from ``settings.toml``, overridden by the environment; a typo is an error.

An environment variable ``GOODNAME_API__PORT`` overrides ``[api] port``; ``DATABASE_URL`` is
understood as well, because every host sets it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import unquote
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.declared import BrandEntry, ReceiverEntry, RuleEntry, SourceEntry
from core.errors import SettingsError
from core.types import Sentiment

ENV_PREFIX = "GOODNAME_"
#: Variables with our prefix that are no settings: where to find the file, and test material.
_NOT_SETTINGS = frozenset(
    {
        "GOODNAME_SETTINGS",
        "GOODNAME_SHARED",
        "GOODNAME_CRASH_AT",
        "GOODNAME_SUPERVISED",
        "GOODNAME_TEST_SERVER",
    }
)

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]

#: "alerts@example.com" or "Goodname <alerts@example.com>".
_MAILBOX = re.compile(r"(?:(?P<name>[^<>]*)<)?(?P<address>[^<>\s]+)(?(name)>)")


class Section(BaseModel):
    """One table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkspaceSection(Section):
    name: str = "default"


class DatabaseSection(Section):
    url: SecretStr = SecretStr("")
    app_url: SecretStr = SecretStr("")
    data_dir: str = ""
    pool_size: Count = 5


class CrawlSection(Section):
    user_agent: str = "Goodname/0.1 (+https://github.com/goodname/goodname)"
    children: Count = 1
    crawls_per_child: Count = 8
    delay_seconds: Annotated[float, Field(ge=0)] = 1.0
    longest_delay_seconds: Annotated[float, Field(ge=0)] = 30.0
    timeout_seconds: Positive = 30.0
    max_body_bytes: Count = 16_000_000
    max_pages_per_run: Count = 50
    run_timeout_seconds: Positive = 1800.0
    robots_obey: bool = True
    tick_timeout_seconds: Positive = 30.0
    child_memory_mib: Count = 400
    allowed_addresses: list[str] = []
    opted_in: list[str] = []
    sites: str = ""


class EvidenceSection(Section):
    keep_days: Annotated[float, Field(gt=0, le=3650)] = 7.0
    from_severity: Literal["low", "medium", "high", "critical"] = "high"
    max_body_bytes: Annotated[int, Field(ge=0)] = 4_000_000


class CoverageSection(Section):
    keep_days: Annotated[float, Field(ge=32, le=36500)] = 400.0


class SentimentSection(Section):
    model: str = "neural"
    cascade: bool = False
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    batch_size: Annotated[int, Field(gt=0, le=1000)] = 1
    labels: dict[str, Sentiment] = {}
    revision: str = ""
    pickled_weights: bool = False

    def with_model(self, model: str) -> Self:
        """The same with another model; what was said of this one is not said of that."""
        about_it: dict[str, Any] = {"labels": {}, "revision": "", "pickled_weights": False}
        kept = {} if model == self.model else about_it
        return self.model_copy(update={"model": model, **kept})


class DeliverySection(Section):
    timeout_seconds: Positive = 20.0
    batch_size: Count = 50
    allowed_addresses: list[str] = []


class SmtpSection(Section):
    host: str = ""
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str = "goodname@localhost"

    @field_validator("sender")
    @classmethod
    def _is_mailbox(cls, written: str) -> str:
        mailbox(written)
        return written


class ApiSection(Section):
    host: str = "127.0.0.1"
    port: Port = 8765
    public_url: str = ""
    session_hours: Positive = 12.0


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    workspace: WorkspaceSection = WorkspaceSection()
    database: DatabaseSection = DatabaseSection()
    crawl: CrawlSection = CrawlSection()
    evidence: EvidenceSection = EvidenceSection()
    coverage: CoverageSection = CoverageSection()
    sentiment: SentimentSection = SentimentSection()
    delivery: DeliverySection = DeliverySection()
    smtp: SmtpSection = SmtpSection()
    api: ApiSection = ApiSection()
    log: LogSection = LogSection()
    credentials: dict[str, dict[str, SecretStr]] = {}
    brands: list[BrandEntry] = []
    sources: list[SourceEntry] = []
    rules: list[RuleEntry] = []
    receivers: list[ReceiverEntry] = []


def load_settings(path: Path | None = None, *, env: Mapping[str, str] = os.environ) -> Settings:
    """Read the file that ``path``, ``GOODNAME_SETTINGS`` or the current folder names.

    Without any of these the packaged defaults hold. Raises ``SettingsError`` naming the key
    and the nearest known one.
    """
    file = settings_file(path, env=env)
    _refuse_unknown_variables(env)
    try:
        loaded = _reader(file)()
    except ValidationError as error:
        raise SettingsError("\n".join(_complaints(error, file))) from None
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from None
    return _with_database_url(loaded, env)


def settings_file(path: Path | None, *, env: Mapping[str, str] = os.environ) -> Path | None:
    """Find the file to read; None when the packaged defaults are meant."""
    named = path or (Path(env["GOODNAME_SETTINGS"]) if env.get("GOODNAME_SETTINGS") else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(
                f"{named}: no such settings file; check --settings or GOODNAME_SETTINGS"
            )
        return named
    here = Path("settings.toml")
    return here if here.is_file() else None


def mailbox(written: str) -> Address:
    """Read a mail address, with or without a name; ``ValueError`` says how to write it."""
    found = _MAILBOX.fullmatch(written.strip())
    try:
        if found is None or not written.isprintable():
            raise ValueError(written)
        return Address(
            display_name=unquote((found["name"] or "").strip()), addr_spec=found["address"]
        )
    except (ValueError, IndexError, MessageError):
        raise ValueError("write alerts@example.com or Goodname <alerts@example.com>") from None


def _reader(file: Path | None) -> type[Settings]:
    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if file is None:
                return init_settings, env_settings
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    return FromFile


def _with_database_url(loaded: Settings, env: Mapping[str, str]) -> Settings:
    url = env.get("DATABASE_URL", "")
    if not url or loaded.database.url.get_secret_value():
        return loaded
    database = loaded.database.model_copy(update={"url": SecretStr(url)})
    return loaded.model_copy(update={"database": database})


def _complaints(error: ValidationError, file: Path | None) -> Iterator[str]:
    where = str(file) if file else "environment"
    for problem in error.errors():
        keys = [str(part) for part in problem["loc"]]
        name = ".".join(keys)
        if problem["type"] == "extra_forbidden":
            yield f"{where}: unknown key {name!r}{_nearest(keys)}"
        else:
            given = "" if keys[0] == "credentials" else _given(keys[-1], problem["input"])
            yield f"{where}: {name}: {problem['msg']}{given}"


def _given(key: str, value: object) -> str:
    is_secret = any(word in key for word in ("password", "secret", "url"))
    return "" if is_secret else f" (given: {str(value)[:60]!r})"


def _nearest(keys: list[str]) -> str:
    known = list(_known_keys(Settings.model_fields, keys[:-1]))
    close = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {'.'.join([*keys[:-1], close[0]])!r}?"
    return f"; known here: {', '.join(sorted(known))}"


def _known_keys(fields: Mapping[str, FieldInfo], parents: list[str]) -> Iterator[str]:
    for parent in parents:
        if not parent.isdigit():
            fields = _model_of(fields[parent].annotation).model_fields
    yield from fields


def _model_of(annotation: Any) -> type[BaseModel]:
    inner = get_args(annotation)
    model = inner[0] if inner else annotation
    return model if isinstance(model, type) and issubclass(model, BaseModel) else Settings


def _refuse_unknown_variables(env: Mapping[str, str]) -> None:
    known = {
        f"{ENV_PREFIX}{name}__{key}".upper()
        for name, field in Settings.model_fields.items()
        for key in _model_of(field.annotation).model_fields
    } | {f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields}
    for variable in env:
        if not variable.upper().startswith(ENV_PREFIX) or variable in _NOT_SETTINGS:
            continue
        if variable.upper().startswith(f"{ENV_PREFIX}CREDENTIALS__"):
            continue  # who they are for is known to the crawlers only
        if variable.upper() not in known:
            close = difflib.get_close_matches(variable.upper(), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise SettingsError(f"environment: unknown variable {variable}{hint}")
