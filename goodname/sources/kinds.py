"""The kinds of sources that are known here, and the config of a source of one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import GoodnameError
from core.settings import Settings
from crawlers.catalogue import spiders, with_own_sites
from crawlers.contract import Spider


def known_kinds(settings: Settings) -> Mapping[str, Spider]:
    """Those that ship and those of the operator's own files."""
    return with_own_sites(spiders(), settings.crawl.sites)


def spider_named(kind: str, known: Mapping[str, Spider]) -> Spider:
    """The spider of a kind; an error with the nearest known one."""
    if kind in known:
        return known[kind]
    close = difflib.get_close_matches(kind, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"
    raise GoodnameError(f"there is no kind {kind!r}; {hint}")


def spider_of_file(path: Path) -> Spider:
    """The spider of a site's file that is installed nowhere yet."""
    from crawlers.declared.load import load_site

    return load_site(path)


def config_of(spider: Spider, params: Mapping[str, Any]) -> Any:
    """The config; an error that names what is wrong with which param."""
    try:
        return spider.config.model_validate(dict(params))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        )
        names = ", ".join(spider.config.model_fields)
        raise GoodnameError(f"params of {spider.kind}: {wrong} (its params: {names})") from None


def read_params(given: Sequence[str]) -> dict[str, Any]:
    """Params of a command line: whole JSON objects, or ``key=value``."""
    params: dict[str, Any] = {}
    for one in given:
        if one.lstrip().startswith("{"):
            params |= _object(one)
        else:
            key, equals, value = one.partition("=")
            if not equals:
                raise GoodnameError(f"--params {one!r}: neither JSON nor key=value")
            params[key.strip()] = _value(value)
    return params


def _object(written: str) -> dict[str, Any]:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise GoodnameError(f"--params: no JSON: {error}") from None
    return dict(found)


def _value(written: str) -> Any:
    """Lists, objects and true or false as JSON; all else is text, which pydantic understands."""
    if written[:1] in "[{" or written in ("true", "false", "null"):
        try:
            return json.loads(written)
        except (ValueError, RecursionError):
            return written
    return written
