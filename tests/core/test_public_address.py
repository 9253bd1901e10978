"""What others see of addresses: where something is, and never what opens it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core.log import LinkToFollow, configure_logging
from core.public_address import (
    address_secrets,
    guarded_url,
    public_url,
    shown_params,
    shown_url,
    shown_words,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/a?page=2&q=a%20b", "https://x.example/a?page=2&q=a%20b"),
        ("https://x.example/a?access_token=s&page=2", "https://x.example/a?page=2"),
        ("https://x.example/a?page=2&API_Key=s#part", "https://x.example/a?page=2"),
        ("https://x.example/a?key=s", "https://x.example/a"),
        ("https://x.example/a?feed_key=s&x-sid=s&appsecret_proof=s&code=s", "https://x.example/a"),
        ("https://x.example/a?keyword=s", "https://x.example/a?keyword=s"),
        (
            "https://x.example/a?product_code=s&monkey=s",
            "https://x.example/a?product_code=s&monkey=s",
        ),
        ("https://x.example/a?X-Amz-Signature=s&v=1", "https://x.example/a?v=1"),
        ("https://user:word@x.example:81/a", "https://x.example:81/a"),
        ("https://[broken", ""),
    ],
)
def test_an_address_to_follow_is_without_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/a/b", "https://x.example/a/b"),
        ("https://x.example/a?q=word&page=2&b=", "https://x.example/a?q=***&page=2&b="),
        ("https://x.example/a?page=9917261881", "https://x.example/a?page=***"),
        ("https://x.example/a?feed", "https://x.example/a?feed"),
        ("https://x.example/a?8f14e45fceea167a", "https://x.example/a?***"),
        ("https://ann:p%40w@x.example:81/a#t=1", "https://x.example:81/a"),
        ("https://ann@x.example", "https://x.example"),
        ("https://ann:p@w@x.example/a", "https://x.example/a"),
        ("https://ann:p/w@x.example/a", "https://x.example/a"),
        ("https://ann:p?w@x.example/a?k=1", "https://x.example/a?k=***"),
        ("https://x.example/@ann/1", "https://x.example/@ann/1"),
        ("https://[2001:db8::1]:8080/a?k=1", "https://[2001:db8::1]:8080/a?k=***"),
        ("https://[broken?k=1", "https://[broken?k=***"),
        ("no address", "no address"),
    ],
)
def test_an_address_in_words_says_where_and_hides_every_value(url: str, shown: str) -> None:
    assert shown_url(url) == shown
    assert shown_url(shown) == shown
    assert shown_words(f"HTTP 404 ({url}), and so on") == f"HTTP 404 ({shown}), and so on"


def test_who_mends_sees_all_but_secrets() -> None:
    url = "https://ann:pw@x.example/a?t=12&api%5Fkey=s&page=2"
    assert guarded_url(url) == "https://x.example/a?t=12&api%5Fkey=***&page=2"


def test_secrets_are_found_wherever_an_address_stands_among_params() -> None:
    params = {
        "url": " https://ann:p%40w@x.example/a?key=k-1&page=2",
        "more": [{"next_url": "https://x.example/a?token=t-1&page={page}"}],
        "query": "key=none",
        "broken": "https://[broken?key=1",
    }
    assert address_secrets(params) == ["p@w", "k-1", "t-1"]
    shown = str(shown_params(params))
    assert not any(one in shown for one in ("ann", "p%40w", "k-1", "t-1"))
    assert shown_params(params)["query"] == "key=none"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log of a process says."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    stream = io.StringIO()
    configure_logging(level="info", style="json", process="test")
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
    yield stream
    root.handlers[:] = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_logs_name_no_secret_of_an_address_nor_do_tracebacks(written: io.StringIO) -> None:
    url = "https://ann:pw-canary@x.example/a?key=key-canary"
    structlog.get_logger().error("broke", url=url, exc_info=ValueError(f"bad ({url})"))
    logging.getLogger("some.library").warning("retrying %s", url)
    assert written.getvalue().count("https://x.example/a?key=***") == 3
    assert "canary" not in written.getvalue()


def test_a_link_to_follow_stays_whole_beside_hidden_ones(written: io.StringIO) -> None:
    url = "https://board.example/item?id=4711#c2"
    structlog.get_logger().warning("alert", link=LinkToFollow(url), reason=f"HTTP 404 ({url})")
    line = json.loads(written.getvalue())
    assert line["link"] == url
    assert line["reason"] == "HTTP 404 (https://board.example/item?id=***)"
