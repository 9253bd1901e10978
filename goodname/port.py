"""The port of the page: free before the start, served after it."""

from __future__ import annotations

import http.client
import socket

from core.errors import GoodnameError


def free_port(host: str, port: int) -> None:
    """Raise a clear error when somebody listens there already; the socket is closed again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise GoodnameError(
                f"cannot listen on {host}:{port} ({error.strerror}); stop the program that does, "
                "or choose another: GOODNAME_API__PORT=8766 goodname up"
            ) from error


def is_served(host: str, port: int) -> bool:
    """Whether the health route answers."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=1)
    try:
        connection.request("GET", "/v1/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """Where to knock when the server listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
