"""A stream behind a certificate that is not valid is not heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from core.address import AddressGuard
from crawlers.contract import Hear
from crawlers.engine import stream
from crawlers.engine.guard import GuardedLookUp
from crawlers.errors import CrawlError
from tests.crawlers.certificates import Authority
from tests.crawlers.site import serving
from tests.crawlers.test_stream_servers import TEXT, frame, saying, stays

BAD: dict[str, tuple[Callable[[Authority], tuple[Path, Path]], str]] = {
    "self-signed": (lambda by: by.vouch("localhost", signs_itself=True), "certificate"),
    "expired": (lambda by: by.vouch("localhost", days=-1), "expired"),
    "another name": (lambda by: by.vouch("other.example"), "Hostname mismatch"),
}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    monkeypatch.setattr(stream, "_trust", stream._trust.__wrapped__)
    return made


async def _heard(port: int) -> stream.Heard:
    return await stream.listen(
        f"https://localhost:{port}/x",
        headers={},
        hear=lambda _: Hear.ENOUGH,
        look_up=GuardedLookUp(AddressGuard.opening([f"localhost:{port}"])),
        seconds=5,
        limit=1000,
    )


async def test_a_valid_certificate_is_no_obstacle(authority: Authority) -> None:
    with serving(certificate=authority.vouch("localhost")) as site:
        site.pages["/x"] = saying(frame(TEXT, b"{}"), then=stays)
        assert (await _heard(site.port)).body == b"{}"


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_certificate_is_named(name: str, authority: Authority) -> None:
    certificate, words = BAD[name]
    with serving(certificate=certificate(authority)) as site:
        site.pages["/x"] = saying(frame(TEXT, b"{}"), then=stays)
        with pytest.raises(CrawlError, match=f"the TLS certificate is not valid: .*{words}"):
            await _heard(site.port)
        assert site.asked == []


async def test_a_site_without_tls_is_named() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        with pytest.raises(CrawlError, match="TLS failed"):
            await _heard(server.sockets[0].getsockname()[1])
