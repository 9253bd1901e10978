"""What pages of Trustpilot, 2023–2026, tell search engines; counted in the plain JSON-LD."""

from __future__ import annotations

from dataclasses import replace

from bench.recorded import trustpilot

RECORDED = replace(
    trustpilot.RECORDED,
    kind="schema-org",
    config={"url": "https://recorded.example/reviews"},
    always=frozenset({"title", "text", "author", "published_at", "language", "rating", "extra"}),
)
