"""Read the files of sites; a broken one says what is wrong, and the others go on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from crawlers.contract import Family
from crawlers.declared.pick import check_css
from crawlers.declared.site import Rule, Site
from crawlers.declared.spider import DeclaredSpider, spider_of
from crawlers.errors import SiteError

ENDINGS = (".yaml", ".yml")
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A file that is no site."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a folder holds."""

    spiders: Mapping[str, DeclaredSpider]
    broken: Sequence[Broken] = ()


def load_folder(folder: Path, *, taken: Mapping[str, object]) -> Loaded:
    """Read every site of a folder; ``taken`` are kinds that a file may not claim."""
    spiders: dict[str, DeclaredSpider] = {}
    broken: list[Broken] = []
    try:
        paths = sorted(one for one in folder.iterdir() if one.suffix in ENDINGS)
    except OSError as error:
        said = "no such folder" if isinstance(error, FileNotFoundError) else error.strerror
        reason = f"{folder}: {said}; check [crawl] sites"
        return Loaded(spiders={}, broken=[Broken(path=folder, reason=reason)])
    for path in paths:
        try:
            spider = load_site(path)
            if spider.kind in taken or spider.kind in spiders:
                raise SiteError(f"{path}: kind: there is another spider of {spider.kind!r}")
            spiders[spider.kind] = spider
        except SiteError as error:
            broken.append(Broken(path=path, reason=str(error)))
    return Loaded(spiders=spiders, broken=broken)


def load_site(path: Path) -> DeclaredSpider:
    """The spider of one file; ``SiteError`` names the file, the key and the nearest known one."""
    data = _read(path)
    if not isinstance(data, dict):
        raise SiteError(f"{path}: a site is a table of keys")
    try:
        site = Site.model_validate(data)
    except ValidationError as error:
        raise SiteError("\n".join(_complaints(error, path))) from None
    if wrong := list(_wrong_selectors(site)):
        raise SiteError("\n".join(f"{path}: {one}" for one in wrong))
    spider = spider_of(site)
    type(spider).file = path
    return spider


class _Strict(yaml.SafeLoader):
    """Plain values only: no aliases, which can grow without end, no tags, and no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not read")
        if getattr(event, "tag", None) is not None:
            mark = event.start_mark
            raise yaml.MarkedYAMLError(problem="tags (!!name) are not read", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is one word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} comes twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _read(path: Path) -> Any:
    try:
        raw = path.read_bytes()
        if len(raw) > _MOST_BYTES:
            raise SiteError(f"{path}: larger than {_MOST_BYTES // 1024} KiB")
        return yaml.load(raw.decode("utf-8"), Loader=_Strict)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise SiteError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SiteError(f"{path}: not written in UTF-8") from None
    except RecursionError:
        raise SiteError(f"{path}: nested too deep") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SiteError(f"{path}: {' '.join(str(error).split())}") from None


def _complaints(error: ValidationError, path: Path) -> Iterator[str]:
    for problem in error.errors():
        keys = [str(part) for part in problem["loc"]]
        name = ".".join(keys)
        if problem["type"] == "extra_forbidden":
            yield f"{path}: unknown key {name!r}{_nearest(keys)}"
        elif problem["type"] == "missing":
            yield f"{path}: {name} is missing"
        else:
            said = problem["msg"].removeprefix("Value error, ")
            yield f"{path}: {name}: {said}" if name else f"{path}: {said}"


def _nearest(keys: list[str]) -> str:
    model = _model_at(Site, keys[:-1])
    known = sorted(model.model_fields) if model else []
    close = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {'.'.join([*keys[:-1], close[0]])!r}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _model_at(model: type[BaseModel] | None, keys: Sequence[str]) -> type[BaseModel] | None:
    """The table that keys lead to; names that the author chose and numbers lead nowhere new."""
    for key in keys:
        field = model.model_fields.get(key) if model else None
        if field is not None:
            model = next(_models_in(field.annotation), None)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _wrong_selectors(site: Site) -> Iterator[str]:
    if site.family is Family.JSON_API:
        if site.without:
            yield "without: nothing can be cut out of JSON"
        return
    for key, selector, is_place in _selectors(site):
        try:
            check_css(selector, is_place=is_place)
        except ValueError as error:
            yield f"{key}: {selector!r}: {error}"


def _selectors(site: Site) -> Iterator[tuple[str, str, bool]]:
    yield "items", site.items, False
    for key in ("without", "skip", "empty"):
        yield from ((key, selector, False) for selector in getattr(site, key))
    yield from (("next.more", selector, False) for selector in site.next.more)
    if site.fields.rating and site.fields.rating.count:
        yield "fields.rating.count", site.fields.rating.count, False
    yield from ((key, one, True) for key, rule in _rules(site, "") for one in rule.at)


def _rules(part: BaseModel, prefix: str) -> Iterator[tuple[str, Rule]]:
    for name, value in part:
        values = (
            {f"{name}.{key}": one for key, one in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        for key, one in values.items():
            if isinstance(one, Rule):
                yield prefix + key, one
            elif isinstance(one, BaseModel):
                yield from _rules(one, f"{prefix}{key}.")
