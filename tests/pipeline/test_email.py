"""Mails over a real SMTP server on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine

from core.errors import SettingsError
from core.settings import SmtpSection, load_settings
from pipeline.deliver import deliver_due
from tests.core.test_http_tls import write_certificate
from tests.pipeline.conftest import Clock, Outbox, build_outbox


@dataclass
class Letterbox:
    """What the server got; answers each recipient as told."""

    answers: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    goodbye: str = "221 Bye"
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the name that the server looks for
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            self.recipients.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    async def handle_QUIT(  # noqa: N802
        self, _server: Any, _session: Any, _envelope: Any
    ) -> str:
        return self.goodbye


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    box = Letterbox()
    with _served(box):
        yield box


@contextmanager
def _served(box: Letterbox, **given: Any) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **given)
    controller.start()
    yield
    controller.stop()


@pytest.fixture
def outbox(engine: Engine, clock: Clock) -> Outbox:
    email = {"kind": "email", "address": "help@voltano.example"}
    return build_outbox(engine, clock, email, timeout_seconds=20)


def deliver(outbox: Outbox, letterbox: Letterbox, **smtp: Any) -> int:
    given = {"host": "127.0.0.1", "port": letterbox.port, "security": "none"}
    return deliver_due(outbox.room(smtp=SmtpSection.model_validate(given | smtp)))


def test_a_mail_tells_the_alert_in_text_and_html(outbox: Outbox, letterbox: Letterbox) -> None:
    outbox.complain(text="Voltano caught fire & burnt <b>all</b>", url="https://board.example/1")
    assert deliver(outbox, letterbox) == 1
    (mail,) = letterbox.mails
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "caught fire & burnt <b>all</b>" in plain.get_content()
    assert "https://board.example/1" in plain.get_content()
    assert "caught fire &amp; burnt &lt;b&gt;all&lt;/b&gt;" in html.get_content()
    assert letterbox.recipients == ["help@voltano.example"]
    assert mail["Subject"].startswith("[Goodname] CRITICAL: Voltano, 1 mention on ")
    assert mail["Message-ID"] == f"<{outbox.deliveries()[0].idempotency_key}@localhost>"
    assert outbox.deliveries()[0].state == "delivered"


def test_a_mail_is_from_a_name_where_the_settings_say_one(
    outbox: Outbox, letterbox: Letterbox
) -> None:
    outbox.complain()
    assert deliver(outbox, letterbox, sender='"Goodname, Alarm" <alerts@voltano.example>') == 1
    (mail,) = letterbox.mails
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Goodname, Alarm", "alerts@voltano.example")
    assert mail["Message-ID"].endswith("@voltano.example>")


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Goodname",
        "goodname@",
        "Goodname alerts@x.example",
        "Goodname <alerts@x.example",
        "a@x.example, b@x.example",
        "Goodname <a@x.example> <b@x.example>",
        "Goodname\nBcc: all@x.example <a@x.example>",
    ],
)
def test_a_sender_that_is_none_is_refused_with_the_settings(tmp_path: Path, sender: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"[smtp]\nsender = {json.dumps(sender)}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"smtp.sender: .*write alerts@example.com or Goodname"):
        load_settings(file, env={})


@pytest.mark.parametrize("said", ["500 what?", "nonsense"])
def test_a_mail_that_was_accepted_has_arrived_whatever_the_goodbye(
    outbox: Outbox, letterbox: Letterbox, said: str
) -> None:
    letterbox.goodbye = said
    outbox.complain()
    assert deliver(outbox, letterbox) == 1
    assert outbox.deliveries()[0].state == "delivered"


def test_a_server_that_answers_without_end_is_left_before_the_lease_runs_out(
    engine: Engine, clock: Clock
) -> None:
    email = {"kind": "email", "address": "help@voltano.example"}
    outbox = build_outbox(engine, clock, email, timeout_seconds=0.5)
    outbox.complain()
    with _dripping() as port:
        smtp = SmtpSection(host="127.0.0.1", port=port, security="none")
        room = outbox.room(smtp=smtp)
        began = time.monotonic()
        assert deliver_due(room) == 0
    assert time.monotonic() - began < room.lease.total_seconds()
    assert outbox.deliveries()[0].state == "pending"


@contextmanager
def _dripping() -> Iterator[int]:
    """A server whose first answer goes on for ten seconds, byte by byte; its port."""

    def drip(listening: socket.socket) -> None:
        connected, _ = listening.accept()
        with connected, suppress(OSError):
            for byte in b"220-" + b"x" * 200:
                connected.sendall(bytes([byte]))
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_goes_encrypted_to_a_server_with_a_trusted_certificate(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setattr("tests.core.test_http_tls.NAME", "localhost")
    write_certificate(tmp_path / "own.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    box, given = Letterbox(), "ssl_context" if security == "tls" else "tls_context"
    with _served(box, require_starttls=security == "starttls", **{given: context}):
        outbox.complain(text=f"Voltano caught fire {'and burnt ' * 5000}")
        assert deliver(outbox, box, host="localhost", security=security) == 1
    assert len(box.mails) == 1


def test_a_repeated_mail_keeps_its_id(outbox: Outbox, letterbox: Letterbox) -> None:
    letterbox.answers = ["451 try later"]
    outbox.complain()
    assert deliver(outbox, letterbox) == 0
    assert "451" in str(outbox.deliveries()[0].last_error)
    outbox.clock.forward(seconds=6)
    assert deliver(outbox, letterbox) == 1
    assert len(letterbox.mails) == 1


def test_an_address_that_the_server_refuses_is_dead(outbox: Outbox, letterbox: Letterbox) -> None:
    letterbox.answers = ["550 no such user"]
    outbox.complain()
    deliver(outbox, letterbox)
    (delivery,) = outbox.deliveries()
    assert (delivery.state, "550 no such user" in str(delivery.last_error)) == ("dead", True)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: all@c.example",
        "a@b.example\nX: y",
        "no address",
        "a@b.example, c@d.example",
        "<script>",
        "",
        "a@b\u2028.example",
    ],
)
def test_an_address_that_is_none_is_dead_and_sends_nothing(
    engine: Engine, clock: Clock, letterbox: Letterbox, address: str
) -> None:
    outbox = build_outbox(engine, clock, {"kind": "email", "address": address})
    outbox.complain()
    assert deliver(outbox, letterbox) == 0
    assert outbox.deliveries()[0].state == "dead"
    assert letterbox.mails == []


def test_a_hostile_post_puts_no_header_into_the_mail(outbox: Outbox, letterbox: Letterbox) -> None:
    evil = "Voltano fire\r\nBcc: all@evil.example\r\n\r\n<script>alert(1)</script>\u2028.\r\n.\r\n"
    outbox.complain(title=evil, text=evil, author=evil, url="javascript:alert(1)//\r\nX-Evil: 1")
    assert deliver(outbox, letterbox) == 1
    (mail,) = letterbox.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()
    assert 'href="javascript' not in html.get_content()
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert letterbox.recipients == ["help@voltano.example"]


def test_without_a_server_the_reason_says_so_and_the_mail_waits(outbox: Outbox) -> None:
    outbox.complain()
    deliver_due(outbox.room())
    (delivery,) = outbox.deliveries()
    assert "[smtp] host" in str(delivery.last_error)
    assert delivery.state == "pending"


def test_a_sender_that_got_past_the_settings_is_no_fault_of_the_receiver(
    outbox: Outbox, letterbox: Letterbox
) -> None:
    outbox.complain()
    smtp = SmtpSection(host="127.0.0.1", port=letterbox.port).model_copy(update={"sender": "a b"})
    assert deliver_due(outbox.room(smtp=smtp)) == 0
    assert outbox.deliveries()[0].state == "pending"


def test_a_server_that_is_away_is_tried_again(outbox: Outbox, letterbox: Letterbox) -> None:
    outbox.complain()
    assert deliver(outbox, letterbox, port=1) == 0
    assert outbox.deliveries()[0].state == "pending"


def test_a_server_without_starttls_gets_no_mail_in_the_clear(
    outbox: Outbox, letterbox: Letterbox
) -> None:
    outbox.complain()
    assert deliver(outbox, letterbox, security="starttls") == 0
    assert letterbox.mails == []
