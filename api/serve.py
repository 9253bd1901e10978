"""The API process: one socket, one server, a clean end."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType

import structlog
import uvicorn

from api.app import create_app
from core.database import Urls, app_engine, check_connection
from core.errors import GoodnameError
from core.settings import Settings

log = structlog.get_logger()

#: Calls that run may end within this; the rest of the 5 seconds is for the process itself.
GRACE_SECONDS = 3


def run_api(
    settings: Settings, urls: Urls, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C; ``on_ready`` gets the address once requests are taken."""
    with contextlib.closing(bind(settings.api.host, settings.api.port)) as listening:
        engine = app_engine(urls.app, pool_size=1)
        try:
            check_connection(engine)
        finally:
            engine.dispose()
        app = create_app(settings, urls, clock=lambda: datetime.now(UTC))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=15,
        )
        address = _address(listening)
        _Server(config, on_ready=lambda: _ready(address, on_ready)).run(sockets=[listening])
    log.info("api_stopped")


def bind(host: str, port: int) -> socket.socket:
    """Take the port, or say who has to move; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise GoodnameError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; stop what uses it, "
            "or set [api] host and port (GOODNAME_API__PORT)"
        ) from None
    listening.set_inheritable(False)
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ready(address: str, on_ready: Callable[[str], None] | None) -> None:
    log.info("api_ready", url=address)
    if on_ready is not None:
        on_ready(address)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end, so a clean stop would look like a kill.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = (signal.SIGINT, signal.SIGTERM)
        before = {one: signal.signal(one, self._stop) for one in watched}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)
