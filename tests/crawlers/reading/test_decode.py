"""Text comes out of bytes, whoever lies about the charset."""

from __future__ import annotations

import pytest

from crawlers.errors import CrawlError
from crawlers.reading.decode import MAX_BYTES, decode

TEXT = "Zażółć gęślą jaźń – ąžuolas šaukia, đački"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("header", ["", "text/html; charset=iso-8859-1", "text/xml; charset=bogus"])
def test_utf_is_found_whatever_the_header_says(charset: str, header: str) -> None:
    assert decode(TEXT.encode(charset), content_type=header) == TEXT


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_letters_without_a_mark_are_found(charset: str) -> None:
    assert decode(f"<p>{TEXT}".encode(charset)) == f"<p>{TEXT}"


def test_the_header_goes_before_the_document_and_the_document_before_a_guess() -> None:
    czech = "<meta charset=windows-1257>Łódź".encode("cp1250")
    assert decode(czech, content_type="text/html; charset=windows-1250").endswith("Łódź")
    declared = "<?xml version='1.0' encoding='windows-1257'?>Šiauliai".encode("cp1257")
    assert decode(declared).endswith("Šiauliai")


def test_a_header_that_does_not_fit_gives_way_to_the_document() -> None:
    page = '<meta charset="windows-1250">Źle'.encode("cp1250")
    assert decode(page, content_type="text/html; charset=utf-8").endswith("Źle")


def test_chinese_that_happens_to_be_valid_utf_8_is_what_the_header_says() -> None:
    body = "聯通".encode("gbk")
    assert decode(body, content_type="text/html; charset=gb2312") == "聯通"


def test_what_cannot_be_read_or_kept_is_marked() -> None:
    assert decode(b"caf\xe9 \xff ok") == "caf\ufffd \ufffd ok"
    assert decode(b"nul\x00, \xed\xa0\x80") == "nul\ufffd, \ufffd\ufffd\ufffd"


@pytest.mark.parametrize("charset", ["utf-7", "rot13", "base64", "unicode_escape", "idna", "x" * 9])
def test_charsets_that_hide_markup_are_not_believed(charset: str) -> None:
    body = b"+ADw-script+AD4- \\u003cb\\u003e"
    assert decode(body, content_type=f"text/html; charset={charset}") == body.decode()


def test_an_answer_that_is_too_large_is_refused() -> None:
    with pytest.raises(CrawlError, match="MiB"):
        decode(b"x" * (MAX_BYTES + 1))
