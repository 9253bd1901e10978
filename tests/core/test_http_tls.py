"""TLS is verified against the name in the URL, although an address is dialled."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server, socket

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.address import AddressGuard
from core.http import guarded_client

NAME = "hooks.firm.example"


class SecureServer:
    """Answers on loopback with a certificate for one name, and notes the names it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "certificate.pem"
        write_certificate(self.certificate)
        self.asked: list[str | None] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._context.sni_callback = lambda _, name, __: self.asked.append(name)
        self._socket = create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def client(self, name: str, *, context: ssl.SSLContext | None = None) -> httpx.Client:
        return guarded_client(
            AddressGuard(allow=frozenset({(name, self.port)})),
            timeout=5,
            max_body_bytes=1000,
            ssl_context=context,
            resolve=lambda *_: ["127.0.0.1"],
        )

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            with suppress(OSError):
                self._answer(plain)

    def _answer(self, plain: socket) -> None:
        with plain, self._context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    one = SecureServer(tmp_path_factory.mktemp("tls"))
    yield one
    one.close()


def test_a_certificate_for_the_name_is_accepted(server: SecureServer) -> None:
    with server.client(NAME, context=server.trusting()) as client:
        assert client.get(f"https://{NAME}:{server.port}/").text == "hello"
    assert server.asked[-1] == NAME


def test_a_certificate_for_another_name_is_refused(server: SecureServer) -> None:
    with (
        server.client("other.example", context=server.trusting()) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://other.example:{server.port}/")


def test_a_certificate_that_nobody_vouches_for_is_refused(server: SecureServer) -> None:
    with (
        server.client(NAME) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://{NAME}:{server.port}/")


def write_certificate(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
