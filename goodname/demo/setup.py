"""What Goodname must be told in order to watch its own demo."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.declared import BrandEntry, ReceiverEntry, RuleEntry, SourceEntry
from core.types import ReceiverKind
from goodname.demo import bureau
from goodname.demo.board import CATEGORY
from goodname.demo.inbox import DEMO_SECRET
from goodname.demo.names import Name, Names

INTERVAL_SECONDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Declared entries as a settings file would hold them, and the one address to allow."""

    brands: tuple[BrandEntry, ...]
    sources: tuple[SourceEntry, ...]
    rules: tuple[RuleEntry, ...]
    receivers: tuple[ReceiverEntry, ...]
    allowed_address: str  #: "host:port", the address guard's only exception


def demo_settings(base_url: str, *, names: Names | None = None) -> DemoSettings:
    """Declare brand, rival, the five sources, one rule and three receivers for a running demo."""
    names = names or Names()
    receivers = _receivers(base_url)
    return DemoSettings(
        brands=(
            _brand(names.brand, excluded=_lakes(names.brand)),
            _brand(names.rival, excluded=[]),
        ),
        sources=_sources(base_url, names.brand),
        rules=(
            RuleEntry(
                slug="demo",
                brand=names.brand.slug,
                at_once="high",
                grouped="medium",
                group_wait_seconds=30,
                receivers=[one.slug for one in receivers if not one.is_operations],
            ),
        ),
        receivers=receivers,
        allowed_address=urlsplit(base_url).netloc,
    )


def _brand(name: Name, *, excluded: list[str]) -> BrandEntry:
    return BrandEntry(
        slug=name.slug,
        name=name.nominative,
        aliases=name.aliases,
        excluded=excluded,
        domains=[name.domain],
    )


def _lakes(name: Name) -> list[str]:
    """A lake bears the brand's name, and nobody who camps there is a customer."""
    return [f"{word} {name.nominative}" for word in ("Lake", "jezioro", "jeziorem")]


def _sources(base_url: str, brand: Name) -> tuple[SourceEntry, ...]:
    board = f"{base_url}/board/{CATEGORY}/{brand.slug}.html"
    feed = f"{base_url}/forum/feed.xml"
    params: dict[tuple[str, str], dict[str, str]] = {
        ("demo-board", "consumeraffairs"): {"url": board},
        ("demo-reviews", "trustpilot"): {"domain": brand.domain, "base_url": base_url},
        ("demo-forum", "feed"): {"url": feed},
        ("demo-social", "hackernews"): {
            "query": brand.search_word,
            "base_url": base_url,
            "items_url": base_url,
        },
        ("demo-bureau", "bbb"): {
            "profile": bureau.profile(brand),
            "base_url": f"{base_url}{bureau.ROOT}",
        },
    }
    return tuple(
        SourceEntry(slug=slug, kind=kind, params=values, interval_seconds=INTERVAL_SECONDS)
        for (slug, kind), values in params.items()
    )


def _receivers(base_url: str) -> tuple[ReceiverEntry, ...]:
    inbox = ReceiverEntry(
        slug="demo-inbox",
        kind=ReceiverKind.WEBHOOK,
        address=f"{base_url}/inbox/webhook",
        secret=SecretStr(DEMO_SECRET),
    )
    return (
        ReceiverEntry(slug="demo-log", kind=ReceiverKind.LOG),
        inbox,
        inbox.model_copy(update={"slug": "demo-operations", "is_operations": True}),
    )
