"""The server as a process and as an HTTP citizen."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.robotparser import RobotFileParser

import httpx
import pytest
from parsel import Selector
from standardwebhooks.webhooks import Webhook

from goodname.demo.inbox import DEMO_SECRET
from goodname.demo.listener import PortTaken
from goodname.demo.names import Names
from goodname.demo.posts import own_pool
from goodname.demo.server import DemoServer

from .conftest import HandClock

ROOT = Path(__file__).parents[3]
LISTS = (
    "/board/home/vaskelda.html",
    "/review/vaskelda.example?languages=all",
    "/forum/feed.xml",
    "/api/v1/search_by_date?query=Vaskeld",
)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    command = [sys.executable, "-m", "goodname.demo.server", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_grows_and_stops_on_a_signal(number: signal.Signals) -> None:
    with running("--seed", "7", "--speed", "60") as (process, line):
        assert line["seed"] == 7
        with httpx.Client(base_url=str(line["url"]), trust_env=False) as client:
            deadline = time.monotonic() + 10
            while "Ember" not in client.get(LISTS[3]).text:  # the fourth telling, at 43 s
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(5) == 0


def test_names_and_texts_can_be_given(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text(json.dumps([f"Text {n} about {{brand}}." for n in range(30)]))
    with (
        running("--brand", "Zumbo Zed", "--rival", "Klonk", "--texts", str(file)) as (_, line),
        httpx.Client(base_url=str(line["url"]), trust_env=False) as client,
    ):
        assert (line["brand"], line["rival"]) == ("Zumbo Zed", "Klonk")
        posts = client.get("/world.json").json()["posts"]
        assert sum(post["text"].endswith("about Zumbo Zed.") for post in posts) == 10
        assert client.get("/board/home/zumbo-zed.html").status_code == 200


def test_it_stops_when_its_parent_is_gone() -> None:
    script = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-m', 'goodname.demo.server', '--with-parent'],"
        " stdout=subprocess.PIPE, text=True)\n"
        "print(p.stdout.readline(), flush=True)\n"
        "sys.stdin.read()\n"
        "import os; os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        line = json.loads(parent.stdout.readline())
        parent.stdin.close()
        parent.wait(5)
        deadline = time.monotonic() + 10
        while is_listening(int(line["port"])):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_in_use_is_a_clear_message(server: DemoServer, clock: HandClock) -> None:
    with pytest.raises(PortTaken, match=str(server.port)):
        DemoServer(own_pool(), port=server.port, clock=clock)
    command = [sys.executable, "-m", "goodname.demo.server", "--port", str(server.port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(server.port) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", LISTS)
def test_what_has_not_changed_is_a_304(client: httpx.Client, clock: HandClock, path: str) -> None:
    first = client.get(path)
    by_tag = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert by_tag.headers["ETag"] == first.headers["ETag"]
    by_date = client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert by_date.status_code == 304
    clock.to(120)
    validators = {
        "If-None-Match": first.headers["ETag"],
        "If-Modified-Since": first.headers["Last-Modified"],
    }
    assert client.get(path, headers=validators).status_code == 200
    assert client.get(path, headers={"If-Modified-Since": "nonsense"}).status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_last_modified_is_the_last_change_and_hidden_while_it_is_fresh(
    server: DemoServer, client: httpx.Client, clock: HandClock, path: str
) -> None:
    world = server.demo.place.world
    at = max(e.at for e in world.entries)
    site = next(e.site for e in world.entries if e.at == at)
    clock.to(700)
    assert world.changed_at(site) <= world.started_at.replace(minute=10)
    assert client.get(path).headers["Last-Modified"].endswith("GMT")
    clock.to(7.5)  # half a second after the fire
    assert ("Last-Modified" in client.get(path).headers) is ("board" not in path)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        (LISTS[0], "text/html; charset=utf-8"),
        (LISTS[1], "text/html; charset=utf-8"),
        ("/forum", "text/html; charset=utf-8"),
        ("/social", "text/html; charset=utf-8"),
        ("/inbox", "text/html; charset=utf-8"),
        (LISTS[3], "application/json; charset=utf-8"),
        ("/world.json", "application/json; charset=utf-8"),
    ],
)
def test_every_answer_says_what_it_is(client: httpx.Client, path: str, content_type: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    if content_type.startswith("text/html"):
        assert "everything here is invented" in answer.text


def test_the_start_page_leads_to_places_that_exist(client: httpx.Client) -> None:
    links = Selector(client.get("/").text).css("main a::attr(href)").getall()
    assert len(links) == 6
    assert all(client.get(link).status_code == 200 for link in links)


def test_robots_let_crawlers_in_but_not_to_the_truth(client: httpx.Client) -> None:
    robots = RobotFileParser()
    robots.parse(client.get("/robots.txt").text.splitlines())
    assert all(robots.can_fetch("Goodname", path) for path in LISTS)
    assert not robots.can_fetch("Goodname", "/world.json")


def test_the_ledger_knows_who_was_given_which_post(
    server: DemoServer, client: httpx.Client, clock: HandClock
) -> None:
    clock.to(60)
    for path in LISTS:
        client.get(path)
    lines = client.get("/ledger.json").json()
    assert [line["path"] for line in lines] == list(LISTS)
    assert {line["user_agent"] for line in lines} == {"test-spider"}
    assert {line["method"] for line in lines} == {"GET"}
    assert {line["status"] for line in lines} == {200}
    assert datetime.fromisoformat(lines[0]["at"]) == clock.now
    given = {number for line in lines for number in line["posts"]}
    told = {p["external_id"] for p in client.get("/world.json").json()["posts"]}
    assert given
    assert given <= told
    fire = [p for p in client.get("/world.json").json()["posts"] if p["role"] == "incident"]
    assert fire[0]["external_id"] in lines[0]["posts"]


def test_an_unchanged_answer_gives_no_post_away(client: httpx.Client) -> None:
    tag = client.get(LISTS[0]).headers["ETag"]
    client.get(LISTS[0], headers={"If-None-Match": tag})
    client.head(LISTS[0])
    first, second, third = client.get("/ledger.json").json()
    assert first["posts"]
    assert (second["status"], second["posts"]) == (304, [])
    assert (third["method"], third["posts"]) == ("HEAD", [])


def test_a_delivered_alert_is_seen_with_its_signature_checked(client: httpx.Client) -> None:
    body = json.dumps({"type": "alert.triggered", "text": "<script>płonie</script>"})
    now = datetime.now(UTC)
    signature = Webhook(DEMO_SECRET).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    assert client.post("/inbox/webhook", content=body, headers=headers).status_code == 204
    client.post("/inbox/webhook", content=body + " ", headers=headers)
    client.post("/inbox/webhook", content=b"\xff not json")
    good, forged, bare = client.get("/inbox.json").json()
    assert good["is_signed"]
    assert good["id"] == "msg_1"
    assert good["content"] == json.loads(body)
    assert not forged["is_signed"]
    assert not bare["is_signed"]
    page = client.get("/inbox").text
    assert "signature is right" in page
    assert "<script>" not in page
    assert "płonie" in page


def test_a_letter_that_is_too_long_or_of_unknown_length_is_refused(
    server: DemoServer, client: httpx.Client
) -> None:
    assert client.post("/inbox/webhook", content=b"x" * 1_000_001).status_code == 413
    assert client.post("/inbox/webhook", content=iter([b"x"])).status_code == 411
    assert client.get("/inbox.json").json() == []


def test_a_wrong_method_names_the_right_ones(client: httpx.Client) -> None:
    answer = client.post("/robots.txt")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert client.get("/inbox/webhook").headers["Allow"] == "POST"


def test_unknown_addresses_are_missing(client: httpx.Client) -> None:
    for path in ("/nope", "/forum/t/1", "/item?id=abc", "/item", "/board/home/ostvena.html"):
        assert client.get(path).status_code == 404


def test_a_client_that_hangs_up_leaves_the_server_alive(
    server: DemoServer, client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as plug:
            plug.sendall(b"GET /world.json HTTP/1.1\r\nHost: x\r\n\r\n")
            plug.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
    assert client.get("/").status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_names_of_any_kind_have_addresses(clock: HandClock) -> None:
    with DemoServer(own_pool(), names=Names.given("Ščit & Bőr", None), clock=clock) as server:
        assert (
            httpx.get(f"{server.url}/board/home/scit-bor.html", trust_env=False).status_code == 200
        )


def test_stopping_twice_or_before_the_start_is_harmless(clock: HandClock) -> None:
    server = DemoServer(own_pool(), clock=clock)
    server.stop()
    server.stop()
    assert not is_listening(server.port)
