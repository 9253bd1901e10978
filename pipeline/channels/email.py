"""Tell by e-mail, over the operator's own SMTP server.

``Message-ID`` is made of the idempotency key, so that a repeated sending is one mail to readers.
"""

from __future__ import annotations

import smtplib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from core.settings import SmtpSection, mailbox
from core.types import DeliveryEvent, GoneReason
from pipeline.channels.channel import Outcome, Sending, Verdict
from pipeline.channels.smtp import DeadlineSMTP
from pipeline.message import Message, ToldMention
from pipeline.operations_message import OperationsMessage

_LONGEST_SUBJECT = 180
_GONE = {GoneReason.REMOVED_AFTER_RESOLUTION.value: "removed after resolution"}


class EmailChannel:
    """Sends one mail a delivery; each opens a connection of its own."""

    def __init__(self, smtp: SmtpSection, *, timeout: float) -> None:
        self._smtp = smtp
        self._timeout = timeout

    def __call__(self, sending: Sending) -> Outcome:
        """Try once; a receiver that the server refuses for good is not tried again."""
        if not self._smtp.host:
            return _retry("no mail server is set: [smtp] host in settings.toml")
        sender = mailbox(self._smtp.sender)
        try:
            mail = compose(sending, sender=sender)
        except (ValueError, IndexError, MessageError) as error:
            return _hopeless(f"not a mail address: {error}")
        try:
            self._send(mail)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(error)
        except (smtplib.SMTPException, OSError) as error:
            return _retry(f"{type(error).__name__}: {error}"[:300])
        return Outcome(verdict=Verdict.ARRIVED)

    def _send(self, mail: EmailMessage) -> None:
        smtp = self._smtp
        trusted = ssl.create_default_context()
        tls = trusted if smtp.security == "tls" else None
        with DeadlineSMTP(smtp.host, smtp.port, timeout=self._timeout, tls=tls) as server:
            if smtp.security == "starttls":
                server.starttls(context=trusted)
            if smtp.username:
                server.login(smtp.username, smtp.password.get_secret_value())
            server.send_message(mail)


def compose(sending: Sending, *, sender: Address) -> EmailMessage:
    """Write the mail; ``ValueError`` for a receiver's address that is none."""
    message = sending.message
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = _address(sending.address)
    mail["Subject"] = _one_line(f"[Goodname] {message.headline}")[:_LONGEST_SUBJECT]
    mail["Date"] = format_datetime(sending.now)
    mail["Message-ID"] = f"<{sending.idempotency_key}@{sender.domain or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Goodname-Alert"] = message.alert_id
    mail.set_content(as_text(message))
    mail.add_alternative(as_html(message), subtype="html")
    return mail


def as_text(message: Message | OperationsMessage) -> str:
    """The plain part."""
    if isinstance(message, OperationsMessage):
        return "\n".join([message.headline, message.link, "", *_about_source(message)]) + "\n"
    parts = [message.headline, message.link, ""]
    for one in message.mentions:
        parts += [
            _head(one),
            _one_line(one.title) if one.title else "",
            _one_line(one.excerpt),
            f"because: {_one_line('; '.join(one.reasons))}" if one.reasons else "",
            _one_line(one.url),
            "",
        ]
    if message.mention_count > len(message.mentions):
        parts.append(f"and {message.mention_count - len(message.mentions)} more: {message.link}")
    return "\n".join(parts) + "\n"


def as_html(message: Message | OperationsMessage) -> str:
    """The same for mail programs that show HTML; nothing in it is loaded from anywhere."""
    if isinstance(message, OperationsMessage):
        said = "<br>".join(escape(line) for line in _about_source(message))
        return (
            f"<html><body><h2>{escape(_one_line(message.headline))}</h2><p>{said}</p>"
            f"<p>{_linked(message.link, 'Open the sources')}</p></body></html>"
        )
    cards = "".join(_card(one) for one in message.mentions)
    return (
        f"<html><body><h2>{escape(_one_line(message.headline))}</h2>"
        f"<p>{_linked(message.link, 'Open the alert')}</p>{cards}</body></html>"
    )


def _about_source(message: OperationsMessage) -> list[str]:
    since = f"{message.opened_at:%Y-%m-%d %H:%M UTC}"
    lines = [
        f"source: {message.source} ({message.source_kind})",
        f"{message.outcome}: {_one_line(message.reason)}",
    ]
    if message.event is DeliveryEvent.SOURCE_HEARD_AGAIN:
        until = f"{message.at:%Y-%m-%d %H:%M UTC}"
        return [*lines, f"not heard from {since} until {until}; it is read again"]
    return [
        *lines,
        f"since: {since}",
        "What is said there now is not seen. It is tried again by itself.",
    ]


def _card(one: ToldMention) -> str:
    title = f"<b>{escape(_one_line(one.title))}</b><br>" if one.title else ""
    because = f"<br><i>{escape(_one_line('; '.join(one.reasons)))}</i>" if one.reasons else ""
    return (
        f"<hr><p><small>{escape(_head(one))}</small><br>{title}{escape(_one_line(one.excerpt))}"
        f"{because}<br>{_linked(one.url, 'Read the post')}</p>"
    )


def _linked(url: str, words: str) -> str:
    if not url.startswith(("http://", "https://")):
        return escape(_one_line(url))
    return f'<a href="{escape(_one_line(url), quote=True)}">{words}</a>'


def _head(one: ToldMention) -> str:
    said = f"{one.severity.label} | {one.source} | {one.language} | {_when(one)}"
    return f"{said} | {_GONE.get(one.gone_reason or '', 'deleted')}" if one.deleted_at else said


def _when(one: ToldMention) -> str:
    return (one.published_at or one.seen_at).strftime("%Y-%m-%d %H:%M UTC")


def _address(written: str) -> Address:
    # A line break would begin a header of the attacker's; the parser drops other blanks.
    address = written.strip()
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        raise ValueError("a blank in the address")
    return Address(addr_spec=address)


def _one_line(said: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())


def _hopeless(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.HOPELESS, reason=reason)


def _retry(reason: str) -> Outcome:
    return Outcome(verdict=Verdict.RETRY, reason=reason)


def _refused(error: smtplib.SMTPRecipientsRefused) -> Outcome:
    code, said = next(iter(error.recipients.values()))
    reason = f"the mail server refused the address: {code} {said.decode(errors='replace')}"[:300]
    verdict = Verdict.HOPELESS if 500 <= code < 600 else Verdict.RETRY
    return Outcome(verdict=verdict, reason=reason)
