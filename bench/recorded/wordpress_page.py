"""Article pages of WordPress in seven themes, seen until 2020; counted by their numbered ids."""

from __future__ import annotations

import re

from bench.recording import Answer, Recorded


def _count(answer: Answer) -> int:
    page = answer.body.decode("utf-8", "replace")
    tags = re.findall(r"<[a-z]+\b[^<>]*\bid=\"(?:li-|div-)?comment-\d+\"[^<>]*>", page)
    numbers: dict[str, str] = {}
    for tag in tags:
        found = re.search(r"comment-(\d+)\"", tag)
        if found:
            numbers.setdefault(found[1], tag)
    return sum(not re.search(r'class="[^"]*\b(?:pingback|trackback)\b', tag)
               for tag in numbers.values())  # fmt: skip


RECORDED = Recorded(
    kind="wordpress-page",
    config={"url": "https://recorded.example/article/"},
    files=("wordpress/*.html", "wordpress/*.html.gz"),
    always=frozenset({"text", "author", "published_at"}),
    counted=_count,
)
