"""``python -m goodname.demo.server``: the invented internet in a process of its own.

It prints its address as one JSON line on stdout and stops on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import GoodnameError
from goodname.demo.inbox import Inbox
from goodname.demo.ledger import Ledger
from goodname.demo.listener import HOST, listen
from goodname.demo.names import Names
from goodname.demo.outages import OUTAGES
from goodname.demo.page import Place
from goodname.demo.posts import Pool, own_pool, pool_from
from goodname.demo.routes import Demo
from goodname.demo.timeline import plan
from goodname.demo.world import Clock, World


class DemoServer:
    """A running demo; also a context manager, so that a test can hold one in a thread.

    One that ``waits`` begins its story with the first look at a site: however long Goodname takes
    to start, it misses nothing.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        names: Names | None = None,
        seed: int = 7,
        speed: float = 1.0,
        port: int = 0,
        clock: Clock,
        waits: bool = False,
    ) -> None:
        self._http = listen(port)
        self._http.waits = waits
        world = World(
            names=names or Names(),
            entries=plan(pool, seed=seed),
            started_at=clock(),
            clock=clock,
            speed=speed,
            outages=OUTAGES,
        )
        self._http.demo = Demo(
            place=Place(world=world, base_url=f"http://{HOST}:{self.port}"),
            ledger=Ledger(),
            inbox=Inbox(),
        )
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="demo"
        )

    @property
    def demo(self) -> Demo:
        """What is shown and remembered."""
        return self._http.demo

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The address of the start page, without a slash at the end."""
        return self.demo.place.base_url

    def start(self) -> None:
        """Serve in a thread until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; answers that are under way are cut off."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, or until the parent is gone with ``--with-parent``."""
    given = _parser().parse_args(arguments)
    # Asked now: a parent that dies while we start must be missed, too.
    parent = os.getppid() if given.with_parent else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    try:
        server = DemoServer(
            pool_from(given.texts) if given.texts else own_pool(),
            names=Names.given(given.brand, given.rival),
            seed=seed,
            speed=given.speed,
            port=given.port,
            clock=lambda: datetime.now(UTC),
            waits=given.waits,
        )
    except GoodnameError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with server:
        _announce(server, seed=seed)
        _wait(stop, parent=parent)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m goodname.demo.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--seed", type=int, help="order, places and ids; drawn when not given")
    parser.add_argument("--brand", help="another name for the brand, used uninflected")
    parser.add_argument("--rival", help="another name for the rival, used uninflected")
    parser.add_argument("--texts", type=Path, help="a JSON file that replaces the texts")
    parser.add_argument("--speed", type=_positive, default=1.0, help="2 tells all twice as fast")
    parser.add_argument("--waits", action="store_true", help="begin when a site is first looked at")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1000")
    return value


def _announce(server: DemoServer, *, seed: int) -> None:
    names = server.demo.place.world.names
    line = {
        "url": server.url,
        "host": HOST,
        "port": server.port,
        "pid": os.getpid(),
        "seed": seed,
        "brand": names.brand.nominative,
        "rival": names.rival.nominative,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _wait(stop: threading.Event, *, parent: int | None) -> None:
    while not stop.wait(1.0):
        if parent is not None and os.getppid() != parent:
            return


if __name__ == "__main__":
    sys.exit(main())
