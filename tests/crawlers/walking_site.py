"""A board with lists and a page for each post, which fails and kills as a test wants it."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.crawlers.site import Asked, Site


@dataclass
class Board:
    """Posts from 1 up; lists name them newest first."""

    site: Site
    posts: int
    per_list: int
    fails_at: str = ""  #: a path that answers 500
    #: A path, who is killed when it is asked for, and so many seconds after the answer or, without
    #: any, in its place.
    dies_at: tuple[str, subprocess.Popen[bytes], float] | None = None

    def __post_init__(self) -> None:
        self.newest = 0
        self.site.pages["/list"] = self._list
        self.publish(self.posts)

    def publish(self, count: int) -> None:
        """Add posts at the top."""
        for number in range(self.newest + 1, self.newest + count + 1):
            self.site.pages[f"/post/{number}"] = self._post
        self.newest += count

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Posts that are not among what was kept."""
        kept = set(texts)
        return [text for n in range(1, self.newest + 1) if (text := f"post {n}") not in kept]

    def asked_twice(self) -> list[str]:
        """Posts whose page was asked for more than once."""
        times = Counter(path for path in self.site.paths() if path.startswith("/post"))
        return sorted(path for path, count in times.items() if count > 1)

    def _list(self, asked: Asked) -> None:
        below = parse_qs(urlsplit(asked.path).query).get("below")
        first = int(below[0]) - 1 if below else self.newest
        numbers = list(range(first, max(0, first - self.per_list), -1))
        self._answer(asked, json.dumps({"list": numbers}))

    def _post(self, asked: Asked) -> None:
        number = int(asked.path.rpartition("/")[2])
        self._answer(asked, json.dumps({"id": number, "text": f"post {number}"}))

    def _answer(self, asked: Asked, body: str) -> None:
        path = asked.path.partition("?")[0]
        if self.dies_at is not None and self.dies_at[0] == path:
            (_, process, seconds), self.dies_at = self.dies_at, None
            if seconds:
                asked.answer(body=body)
                time.sleep(seconds)
            process.kill()
        elif self.fails_at == path:
            asked.answer("500 Oops", "sorry")
        else:
            asked.answer(body=body)
