"""`goodname sources record` and `check`: a source is recorded, and recordings are replayed."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.errors import GoodnameError
from crawlers.catalogue import spiders
from crawlers.contract import Fetched
from goodname.sources.check import check, checked
from goodname.sources.clean import clean_url, cleaned, secrets_in
from goodname.sources.fetch import Hand
from goodname.sources.record import record, record_by
from goodname.sources.recording import recording_named, recordings
from tests.crawlers.saved_pages import FOLDER as PAGES
from tests.crawlers.site import Site, page
from tests.goodname.sources.trying import FEED, settings_for


def test_a_recording_fails_until_somebody_has_looked_at_it(web: Site, tmp_path: Path) -> None:
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml", Set_Cookie="session=abc")
    source = {"slug": "board", "kind": "feed", "params": {"url": f"{web.url}/feed?token=abcdef"}}
    settings = settings_for(web, sources=[source])
    with Hand(settings.crawl) as hand:
        recording, visits = record_by(hand, settings, "board", folder=tmp_path, most_pages=3)
    assert [len(visit.page.posts) for visit in visits if visit.page] == [2]
    head = recording.head
    assert "token=removed" in head["pages"][0]["url"]
    assert "set-cookie" not in head["pages"][0]["headers"]
    found = checked(recording_named(tmp_path, "board"), spiders())
    assert not found.is_ok
    assert found.reasons == (
        "nobody has looked at what is read; do it: goodname sources review board",
    )
    recording.accept(recording.replayed(spiders()))
    assert checked(recording_named(tmp_path, "board"), spiders()).is_ok


def test_a_replay_says_what_is_read_differently(
    web: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
    source = {"slug": "board", "kind": "feed", "params": {"url": f"{web.url}/feed"}}
    settings = settings_for(web, sources=[source])
    with Hand(settings.crawl) as hand:
        recording, _ = record_by(hand, settings, "board", folder=tmp_path, most_pages=1)
    recording.accept(recording.replayed(spiders()))
    assert check(None, tmp_path) == 0
    expectation = recording.expectation(1)
    told = json.loads(expectation.read_text("utf-8"))
    told["posts"][0]["author"] = "somebody else"
    del told["posts"][1]
    expectation.write_text(json.dumps(told), "utf-8")
    assert check(None, tmp_path) == 1
    said = capsys.readouterr().out
    assert "FAIL board" in said
    assert "author differ" in said
    assert "is new" in said
    (recording.path / recording.head["pages"][0]["file"]).unlink()
    assert check(None, tmp_path, as_json=True) == 1
    assert "cannot be replayed" in json.loads(capsys.readouterr().out)[0]["reasons"][0]


def test_a_recording_that_is_damaged_fails_alone(
    web: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web.pages["/feed"] = page(FEED, Content_Type="application/rss+xml")
    names = ("cut", "sound", "strange")
    sources = [{"slug": one, "kind": "feed", "params": {"url": f"{web.url}/feed"}} for one in names]
    settings = settings_for(web, sources=sources)
    with Hand(settings.crawl) as hand:
        for name in names:
            recording, _ = record_by(hand, settings, name, folder=tmp_path, most_pages=1)
            recording.accept(recording.replayed(spiders()))
    head = json.loads((tmp_path / "cut/recording.json").read_text("utf-8"))
    (tmp_path / "cut/01.xml.gz").write_bytes(gzip.compress(FEED)[:-20])
    head["pages"][0]["file"] = "01.xml.gz"
    (tmp_path / "cut/recording.json").write_text(json.dumps(head), "utf-8")
    head["pages"][0] |= {"file": "01.xml", "headers": []}
    (tmp_path / "strange/recording.json").write_text(json.dumps(head), "utf-8")
    with capture_logs() as logs:
        assert check(None, tmp_path, as_json=True) == 1
    assert [log["recording"] for log in logs] == ["strange"], "with its traceback"
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert [name for name, one in found.items() if one["is_ok"]] == ["sound"]
    assert "01.xml.gz" in found["cut"]["reasons"][0]
    assert "cannot be replayed" in found["strange"]["reasons"][0]


def test_an_older_recording_is_not_overwritten_and_an_empty_folder_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODNAME_DATABASE__DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "board").mkdir()
    (tmp_path / "board/recording.json").write_text("{}", "utf-8")
    with pytest.raises(GoodnameError, match="--overwrite replaces it"):
        record(None, "board", folder=tmp_path, most_pages=1)
    with pytest.raises(GoodnameError, match=r"recording\.json: no kind"):
        recordings(tmp_path)
    with pytest.raises(GoodnameError, match="no recordings"):
        check(None, tmp_path / "nothing")
    with pytest.raises(GoodnameError, match="no source 'other': not declared"):
        record(None, "other", folder=tmp_path, most_pages=1)


def test_what_is_off_is_not_recorded(web: Site, tmp_path: Path) -> None:
    source = {"slug": "k", "kind": "ceneo", "params": {"product": "1", "base_url": web.url}}
    settings = settings_for(web, sources=[source])
    with Hand(settings.crawl) as hand, pytest.raises(GoodnameError, match="ceneo is off"):
        record_by(hand, settings, "k", folder=tmp_path, most_pages=1)
    assert web.connections == 0


def test_credentials_are_taken_out_of_a_recording(web: Site, tmp_path: Path) -> None:
    key = "AIza" + "k" * 35
    web.pages["/youtube/v3/videos"] = page("{}")
    fetched = Fetched(
        url=f"{web.url}/a?key={key}&q=x",
        status=200,
        headers={"authorization": "x", "x-csrf-token": "y", "content-type": "text/html",
                 "link": f"<{web.url}/b?access_token=s3cret-word>"},
        body=json.dumps(
            {"paging": "?access_token=abc123def&q=1", "k": "s3cret-word", "key": key}
        ).encode(),
        fetched_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    clean = cleaned(fetched, ["s3cret-word"])
    whole = repr(clean)
    assert key not in whole
    assert "s3cret-word" not in whole
    assert "abc123def" not in whole
    assert set(clean.headers) == {"content-type", "link"}
    assert json.loads(clean.body)["paging"] == "?access_token=removed&q=1"
    assert clean_url("https://u:p@x.example/?page=2&API_KEY=1", []) == (
        "https://x.example/?page=2&API_KEY=removed"
    )
    for name in ("jwt", "pwd", "hmac", "accesskey", "x-credential", "code", "x_sid", "rss-jwt"):
        assert "s3cret" not in clean_url(f"https://x.example/?{name}=s3cret&page=2", [])
        assert secrets_in({"url": f"https://x.example/?{name}=s3cret"}) == ["s3cret"]


def test_a_recording_of_an_api_does_not_tell_how_to_reach_who_wrote(
    web: Site, tmp_path: Path
) -> None:
    comments = json.loads((PAGES / "wordpress/last.json").read_text("utf-8"))
    for number, one in enumerate(comments):
        one |= {"author_email": f"ana{number}@x.example", "author_ip": "203.0.113.77"}
        one["meta"] = {"contactPhone": 48123456789, "emails": ["bob@x.example"]}
    comments[0]["content"]["rendered"] += "<p>Piszcie: żółw@sklep.example</p>"
    web.pages["/wp-json/wp/v2/comments"] = page(
        json.dumps(comments, ensure_ascii=False), Content_Type="application/json"
    )
    source = {"slug": "blog", "kind": "wordpress", "params": {"url": web.url}}
    settings = settings_for(web, sources=[source], crawl={"opted_in": ["wordpress"]})
    with Hand(settings.crawl) as hand:
        recording, visits = record_by(hand, settings, "blog", folder=tmp_path, most_pages=1)
    files = {path.name: path.read_text("utf-8") for path in recording.path.iterdir()}
    assert set(files) == {"recording.json", "01.json", "01.expected.json"}
    for name, text in files.items():
        for contact in ("ana0@", "ana1@", "203.0.113.77", "48123456789", "bob@"):
            assert contact not in text, name
    kept = json.loads(files["01.json"])
    assert [one["author_email"] for one in kept] == ["***", "***"]
    assert [one["id"] for one in kept] == [one["id"] for one in comments]
    assert "żółw@sklep.example" in visits[0].page.posts[0].text  # type: ignore[union-attr]
    recording.accept(recording.replayed(spiders()))
    found = checked(recording_named(tmp_path, "blog"), spiders())
    assert (found.is_ok, found.posts) == (True, 2), found.reasons
