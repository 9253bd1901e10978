"""The page in a real browser: no script of a post runs, and a person gets through."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.orm import Session

from api.app import create_app
from api.serve import bind
from core.database import Urls
from core.models import Source
from core.settings import Settings
from core.types import Role
from tests.api.conftest import Customer
from tests.api.rows import add_alert, add_mention, add_post
from tests.api.test_pages import hostile_texts

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name of the local network, which a browser trusts less than localhost.
    "--host-resolver-rules=MAP goodname.lan 127.0.0.1",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium at /usr/bin/chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def serving(database_url: str) -> Iterator[str]:
    app = create_app(
        Settings(),
        Urls(owner=database_url, app=database_url),
        clock=lambda: datetime.now(UTC),
    )
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listening.close()


class Seen:
    """What a page tried that it must not."""

    def __init__(self, page: Page, base: str) -> None:
        self.wrong: list[str] = []
        page.on("dialog", lambda dialog: self._dialog(dialog))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", lambda request: self._request(request.url, base))

    def _dialog(self, dialog: object) -> None:
        self.wrong.append("dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _console(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.wrong.append(f"console: {message.text}")  # type: ignore[attr-defined]

    def _request(self, url: str, base: str) -> None:
        if not url.startswith(base):
            self.wrong.append(f"request: {url}")


@contextmanager
def visiting(browser: Browser, base: str, key: str, **options: object) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{base}/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    page.locator("main").wait_for()
    page.wait_for_load_state("load")  # else a busy machine is measured before its style is there
    yield page
    context.close()


def test_no_hostile_text_runs_or_reaches_out(
    browser: Browser,
    database_url: str,
    session: Session,
    ours: Customer,
    source: Source,
    shared: Path,
) -> None:
    payloads = hostile_texts(shared)
    for start in range(0, len(payloads), 30):
        together = "\n".join(payloads[start : start + 30])
        post = add_post(
            session,
            source,
            title=payloads[start],
            text=together,
            author=payloads[start],
            url=together,
        )
        reason = {"because": together, "spans": [{"start": 0, "end": 5}], "weight": 1.0}
        mention = add_mention(session, ours.brand, post, severity=4, reasons=[reason])
        add_alert(session, ours.rule, mention)
    source.last_outcome, source.last_reason = "error", payloads[0]
    ours.brand.name = payloads[1]
    session.commit()
    with (
        serving(database_url) as base,
        visiting(browser, base, ours.keys[Role.ADMIN]) as page,
    ):
        seen = Seen(page, base)
        page.goto(f"{base}/")
        links = page.locator(".card h3 a").evaluate_all("all => all.map(one => one.href)")
        mentions = page.locator(".mention .said a").evaluate_all("all => all.map(one => one.href)")
        assert len(links) > 10
        for link in [*links, *mentions[:3]]:
            page.goto(link)
        assert seen.wrong == []


def test_a_new_alert_appears_and_is_acknowledged_and_resolved_without_a_reload(
    browser: Browser, database_url: str, session: Session, ours: Customer, source: Source
) -> None:
    with (
        serving(database_url) as base,
        visiting(browser, base, ours.keys[Role.OWNER]) as page,
    ):
        seen = Seen(page, base)
        page.evaluate("window.isTheSamePage = true")
        post = add_post(session, source, title="Smoke in the hallway")
        mention = add_mention(session, ours.brand, post, severity=4)
        alert = add_alert(session, ours.rule, mention)
        session.commit()
        card = page.locator("article", has_text="Smoke in the hallway")
        card.wait_for()
        assert "Smoke in the hallway" in (page.locator("#news").text_content() or "")
        assert page.title() == "(2) Goodname"
        card.get_by_role("button", name="Acknowledge").click()
        card.get_by_text("taken by").wait_for()
        session.refresh(alert)
        assert alert.acknowledged_by == "ours owner"
        card.get_by_text("Resolve").first.click()
        card.get_by_label("Root cause").fill("Half a thought")
        # Two polls pass; what somebody types is not taken from under their hands.
        ours.brand.name = "Renamed"
        add_alert(session, ours.rule, add_mention(session, ours.brand, add_post(session, source)))
        session.commit()
        page.locator("#brands-panel", has_text="Renamed").wait_for()
        assert card.get_by_label("Root cause").input_value() == "Half a thought"
        card.locator("form", has_text="Root cause").get_by_role("button", name="Resolve").click()
        card.wait_for(state="detached")
        session.refresh(alert)
        assert (alert.state, alert.root_cause) == ("resolved", "Half a thought")
        assert page.evaluate("window.isTheSamePage")
        assert seen.wrong == []


def test_a_person_logs_in_by_a_name_of_the_local_network(
    browser: Browser, database_url: str, ours: Customer
) -> None:
    with serving(database_url) as base:
        named = base.replace("127.0.0.1", "goodname.lan")
        with visiting(browser, named, ours.keys[Role.OWNER]) as page:
            page.locator("#alerts-panel").wait_for()
            page.get_by_role("button", name="Acknowledge").first.click()
            page.get_by_text("taken by").first.wait_for()
            page.get_by_role("button", name="Log out").click()
            page.get_by_label("API key").wait_for()


def test_filters_narrow_the_mentions(
    browser: Browser, database_url: str, session: Session, ours: Customer, source: Source
) -> None:
    add_mention(session, ours.brand, add_post(session, source, title="Praise"), severity=0)
    session.commit()
    with (
        serving(database_url) as base,
        visiting(browser, base, ours.keys[Role.ANALYST]) as page,
    ):
        page.locator(".mention").nth(1).wait_for()
        page.get_by_label("Severity from").select_option("high")
        page.locator(".mention").nth(1).wait_for(state="detached")
        assert "canary-ours" in page.locator(".mention").inner_text()
        page.get_by_label("Severity from").select_option("")
        page.get_by_label("Words").fill("praise")
        page.locator(".mention", has_text="canary-ours").wait_for(state="detached")
        assert "Praise" in page.locator(".mention").inner_text()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_can_be_read_and_reached(
    browser: Browser, database_url: str, ours: Customer, width: int, scheme: str
) -> None:
    with (
        serving(database_url) as base,
        visiting(
            browser,
            base,
            ours.keys[Role.ADMIN],
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
        ) as page,
    ):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for box in page.locator("button:visible, summary:visible").all():
            size = box.bounding_box()
            assert size
            assert size["height"] >= 40
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(one => !one.labels.length && !one.ariaLabel).length"
        )
        assert unnamed == 0
        texts = json.loads(page.evaluate(CONTRAST))
        assert len(texts) > 30
        poor = [one for one in texts if one["ratio"] < 4.5]
        assert poor == []


#: WCAG contrast of every visible text with the nearest opaque background behind it.
CONTRAST = """
(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (el) => {
    for (let at = el; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const el of document.querySelectorAll('body *')) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !el.checkVisibility() || el.closest('.unseen, .skip, option')) continue;
    const a = light(parse(getComputedStyle(el).color)), b = light(behind(el));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push({ text: el.textContent.trim().slice(0, 30), cls: el.className, ratio });
  }
  return JSON.stringify(found);
})()
"""
