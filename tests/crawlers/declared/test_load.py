"""Files of sites: what is wrong is said with the file, the key and the nearest known one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crawlers.catalogue import own_sites, register_kinds, spiders, with_own_sites
from crawlers.declared.load import load_folder, load_site
from crawlers.errors import SiteError

GOOD: dict[str, Any] = {
    "kind": "kettles",
    "title": "Kettles",
    "family": "cards",
    "posts": "review",
    "minimum_interval_seconds": 3600,
    "base_url": "https://kettles.example",
    "params": {"firm": {"about": "its name"}},
    "url": "{base_url}/{firm}",
    "items": ".review",
    "fields": {"id": "::attr(id)", "text": ".text"},
}


def _file(folder: Path, name: str = "kettles.yaml", **changed: Any) -> Path:
    data = {key: value for key, value in (GOOD | changed).items() if value is not None}
    path = folder / name
    path.write_text(yaml.safe_dump(data), "utf-8")
    return path


def test_a_site_becomes_a_spider_of_its_own_kind(tmp_path: Path) -> None:
    spider = load_site(_file(tmp_path))
    config = spider.config.model_validate({"firm": "kavira"})
    assert (spider.kind, spider.is_verified, spider.needs_opt_in) == ("kettles", False, True)
    assert spider.start(config, cursor={}).url == "https://kettles.example/kavira"
    schema = spider.config.model_json_schema()
    assert schema["required"] == ["firm"]
    assert schema["properties"]["base_url"]["default"] == "https://kettles.example"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ttle": "x"}, "unknown key 'ttle'; did you mean 'title'?"),
        (
            {"fields": {"id": "::attr(id)", "text": "p", "autor": "b"}},
            "unknown key 'fields.autor'; did you mean 'fields.author'?",
        ),
        (
            {"contract": {"lest": 1}},
            "unknown key 'contract.lest'; did you mean 'contract.least'?",
        ),
        (
            {"params": {"firm": {"patern": "x"}}},
            "unknown key 'params.firm.patern'; did you mean 'params.firm.pattern'?",
        ),
        (
            {"fields": {"id": {"at": "::attr(id)", "mach": "x"}, "text": "p"}},
            "unknown key 'fields.id.mach'; did you mean 'fields.id.match'?",
        ),
        ({"title": None}, "title is missing"),
        ({"fields": {"id": "::attr(id)"}}, "a post needs a text or a title"),
        ({"items": "div["}, "items: 'div[': no CSS selector"),
        (
            {"fields": {"id": "::attr(id)", "text": "p::html"}},
            "fields.text: 'p::html': only ::text",
        ),
        ({"counters": {"likes": "a >> b"}}, "counters.likes: 'a >> b': no CSS selector"),
        ({"fields": {"id": {"at": "b", "match": "("}, "text": "p"}}, "no regular expression"),
        ({"fields": {"id": {"at": "b", "form": r"\1"}, "text": "p"}}, "there is no match"),
        (
            {"fields": {"id": {"at": "b", "match": "(a)", "form": r"\2"}, "text": "p"}},
            "form: invalid group reference",
        ),
        ({"url": "https://other.example/{firm}"}, "it must begin with {base_url}"),
        ({"url": "{base_url}{firm}"}, "it must begin with {base_url}"),
        ({"url": "{base_url}/{frim}"}, "{frim} is no param"),
        ({"url": "{base_url}/{firm!r}"}, "a place is written as {name}"),
        ({"url": "{base_url}/"}, "params.firm is nowhere in the url"),
        ({"dates": {"zone": "Europe/Warschau"}}, "no time zone"),
        ({"next": {"by": "number"}}, "either a url with {page} or a query"),
        ({"next": {"by": "link"}}, "it needs a link"),
        ({"order": "oldest", "next": {"by": "link", "link": "a::attr(href)"}}, "known by number"),
        ({"contract": {"filled": {"autor": 1}}}, "a post has no autor"),
        ({"family": "json_api", "items": "a", "without": "b"}, "nothing can be cut out of JSON"),
        ({"minimum_interval_seconds": 1}, "minimum_interval_seconds"),
        ({"params": {"firm": {"pattern": "[a-z]+", "default": "K 9"}}}, "does not fit the pattern"),
        ({"params": {"firm": {"type": "number", "default": "K"}}}, "default: 'K': Input should be"),
        ({"params": {"firm": {"type": "address", "default": "K"}}}, "an address begins with"),
        ({"params": {"model_config": {}}, "url": "{base_url}/{model_config}"}, "name is taken"),
        ({"params": {"model_dump": {}}, "url": "{base_url}/{model_dump}"}, "the name is taken"),
        ({"params": {"page": {}}, "url": "{base_url}/{page}"}, "params.page: the name is taken"),
        ({"params": {"base_url": {}}, "url": "{base_url}/"}, "params.base_url: the name is taken"),
        ({"claims": ["^https://k/(?P<frim>.+)"]}, "claims: (?P<frim>…) is no param"),
        ({"dates": {"languages": ["polish"]}}, "dates.languages.0: String should match"),
        ({"items": "svg|a"}, "items: 'svg|a': no CSS selector: XPath error: Undefined namespace"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    path = _file(tmp_path, **changed)
    with pytest.raises(SiteError) as error:
        load_site(path)
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: [", "while parsing"),
        ("- a\n- b", "a site is a table of keys"),
        ("a: &a [x]\nb: *a", "aliases (*name) are not read"),
        ("kind: a\nkind: b", "the key 'kind' comes twice"),
        ("kind: !!python/object/apply:os.system ['true']", "tags (!!name) are not read"),
        ("kind: !!int ''", "tags (!!name) are not read"),
        ("kind: !!timestamp today", "tags (!!name) are not read"),
        ("? [a, b]\n: c", "a key is one word"),
        ("? {a: b}\n: c", "a key is one word"),
        ("a: " + "[" * 5000, "nested too deep"),
        ("a: " + "x" * 70_000, "larger than 64 KiB"),
        ("a: \x01", "special characters are not allowed"),
    ],
)
def test_only_plain_yaml_is_read(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SiteError) as error:
        load_site(path)
    assert says in str(error.value)


def test_a_file_in_another_charset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes("kind: ž".encode("cp1250"))
    with pytest.raises(SiteError, match="not written in UTF-8"):
        load_site(path)


def test_a_broken_file_stops_no_other(tmp_path: Path) -> None:
    _file(tmp_path)
    _file(tmp_path, "other.yaml", kind="feed")
    _file(tmp_path, "twice.yaml")
    (tmp_path / "broken.yaml").write_text("kind: broken\nfields: 3", "utf-8")
    loaded = own_sites(str(tmp_path))
    assert set(loaded.spiders) == {"kettles"}
    reasons = {one.path.name: one.reason for one in loaded.broken}
    assert set(reasons) == {"broken.yaml", "other.yaml", "twice.yaml"}
    assert "there is another spider of 'feed'" in reasons["other.yaml"]
    assert set(with_own_sites(spiders(), str(tmp_path))) == {*spiders(), "kettles"}


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    loaded = load_folder(tmp_path / "sites", taken={})
    assert "no such folder" in loaded.broken[0].reason
    file = _file(tmp_path)
    assert "Not a directory" in load_folder(file, taken={}).broken[0].reason
    assert not own_sites("").broken


def test_own_kinds_are_registered_and_an_opted_in_broken_one_stops_nothing(
    tmp_path: Path, session: Any, now: Any
) -> None:
    from core.models import SourceKind

    _file(tmp_path)
    (tmp_path / "unreadable.yaml").write_text("kind: broken\nparams: {", "utf-8")
    register_kinds(session, now, opted_in=["kettles", "broken"], sites=str(tmp_path))
    row = session.get_one(SourceKind, "kettles")
    assert row.is_opted_in
    assert row.family == "cards"
    assert "firm" in row.config_schema["properties"]
