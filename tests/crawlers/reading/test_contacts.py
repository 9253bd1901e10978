"""What an API tells of how to reach somebody is not kept; what people wrote is."""

from __future__ import annotations

import json
import time

import pytest

from crawlers.errors import ParseError
from crawlers.reading.contacts import without_contacts


@pytest.mark.parametrize(
    "name",
    ["email", "reviewer_email", "author-email", "authorEmail", "EMAIL", "e-mail", "emailAddress",
     "email_addresses", "author_ip", "ip", "ip_address", "clientIp", "remote_addr", "phone",
     "phone_number", "contactPhoneNumber", "telephone"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["ana@x.example", 'an"a\\', ["ana@x.example", "b"], 48123456789])
def test_a_contact_is_hidden_whatever_it_is_called(name: str, value: object) -> None:
    item = {"id": 1, "by": {name: value, "name": "Ana"}, "text": "It broke."}
    for written in (
        json.dumps(item),
        json.dumps(item, indent=2),
        json.dumps(item, separators=(",", ":")),
    ):
        kept = json.loads(without_contacts(written))
        assert kept == {"id": 1, "by": {name: "***", "name": "Ana"}, "text": "It broke."}
    shown = without_contacts(repr(item))
    assert repr(value) not in shown
    assert "It broke." in shown


@pytest.mark.parametrize(
    "written",
    [
        '{"iphone": "14", "zip": "10000", "membership": "gold", "microphone": "ok", "tip": "x"}',
        '{"email": null, "email_is_confirmed": true, "emails": {}, "phone": ""}',
        json.dumps({"text": 'they wrote "email": "a@b.example" into it'}),
        '{"text": "my email: ana@x.example"}',
        "<p>no JSON</p>",
        "",
    ],
)
def test_all_else_stays_as_it_was(written: str) -> None:
    assert without_contacts(written) == written


def test_a_dead_letter_holds_no_part_of_a_contact() -> None:
    for before in range(400, 500):
        item = {"id": 7, "text": "x" * before, "reviewer_email": "ana@x.example"}
        assert "ana@" not in ParseError("review", url="https://x.example", item=item).excerpt


@pytest.mark.parametrize(
    "odd", ['"email":', '"email":"', "'ip':['", '"a_a_a_', '"email":"\\', '\\"']
)
def test_no_answer_takes_long(odd: str) -> None:
    began = time.perf_counter()
    without_contacts(odd * (1_000_000 // len(odd)))
    assert time.perf_counter() - began < 2
