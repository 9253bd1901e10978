"""The spider of a site's file: items by a selector, each read by the rules of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from core.types import Post
from crawlers.contract import Cursor, Fetched, Page, Promise, Request
from crawlers.declared.pages import following, page_request, standing_on
from crawlers.declared.params import config_of
from crawlers.declared.pick import HtmlItem, Item, JsonItem, follow
from crawlers.declared.post import id_of, post_of
from crawlers.declared.site import Site
from crawlers.errors import DriftError
from crawlers.families.items import ItemSpider, Listing
from crawlers.families.portions import MOST, portion
from crawlers.reading.answers import unexpected
from crawlers.reading.json_body import parse_json
from crawlers.reading.markup import cut_out, tree_of
from crawlers.reading.numbers import whole_number


class DeclaredSpider(ItemSpider[Item]):
    """Reads what its ``site`` declares; the class of each site is made by ``spider_of``."""

    is_order_sure = False  # a file says what somebody saw, or hopes
    site: ClassVar[Site]
    file: ClassVar[Path]  #: where it is declared

    @override
    def start(self, config: Any, *, cursor: Cursor) -> Request:
        """The first page, or where the oldest come first the last one that was read."""
        is_resumed = self.site.order == "oldest"
        known = cursor.get("page") if is_resumed else None
        request = page_request(self.site, config, known if isinstance(known, int) else 1)
        # Where there is no order, a new post may stand on any page.
        is_telling = self.site.order != "none" or self.site.next.by == "none"
        return replace(request, may_be_unchanged=is_telling)

    @override
    def parse(self, fetched: Fetched, config: Any, *, cursor: Cursor, ahead: Cursor) -> Page:
        """Read the items of one page."""
        found = super().parse(fetched, config, cursor=cursor, ahead=ahead)
        if self.site.order != "oldest" or not found.posts:
            return found
        return replace(found, ahead={**found.ahead, "page": standing_on(fetched)})

    @override
    def listing(self, fetched: Fetched, text: str, config: Any) -> Listing[Item]:
        """Find the items, and say whether they are as many as there should be."""
        page, items = self._json(fetched, text) if self._is_json else self._html(text)
        announced = self._announced(page, items, fetched)
        if not items:
            self._check_empty(page, fetched, text, announced=announced)
            return Listing(items=(), announced=0)
        found = portion(items, fetched)
        self._note_enclosing(found.items, items)
        for item in found.items:
            item.note_reply(self.site.reply)
        self._cut(found.items)
        least = self.site.contract.least
        if len(items) < least and standing_on(fetched) == 1:
            raise DriftError(f"the page lists {len(items)} items and always had {least} or more")
        return Listing(
            items=found.items,
            announced=announced if found.is_all else len(found.items),
            next=found.rest or following(self.site, page, items[:MOST], fetched, config),
            is_sorted=self.site.order == "newest",
        )

    @override
    def post(self, item: Item, fetched: Fetched, config: Any) -> Post | None:
        """Read one item by the rules."""
        return post_of(item, self.site, fetched, config)

    @override
    def id_of(self, item: Item) -> str | None:
        """The id of an item that may be unreadable otherwise."""
        return item.first(self.site.fields.id)

    @property
    def _is_json(self) -> bool:
        return self.site.family.value == "json_api"

    def _json(self, fetched: Fetched, text: str) -> tuple[Item, list[Item]]:
        if text.lstrip("\ufeff \t\r\n")[:1] == "<":
            raise unexpected(fetched, text, lacks="JSON")
        body = parse_json(text, what="the answer")
        found = follow(body, self.site.items)
        if not isinstance(found, list):
            raise DriftError(f"the answer has no list {self.site.items}")
        return JsonItem(body), [JsonItem(one) for one in found]

    def _html(self, text: str) -> tuple[Item, list[Item]]:
        tree = tree_of(text)
        return HtmlItem(tree), [HtmlItem(one) for one in tree.css(self.site.items)]

    def _cut(self, items: Sequence[Item]) -> None:
        # What is cut may hold other items: they are known already and stay whole.
        for item in items:
            if isinstance(item, HtmlItem):
                for selector in self.site.without:
                    for one in item.selector.css(selector):
                        cut_out(one.root, keep=item.selector.root)

    def _note_enclosing(self, items: Sequence[Item], listed: Sequence[Item]) -> None:
        if self.site.fields.parent is None or not self.site.fields.parent.enclosing:
            return
        places = {item.selector.root: item for item in listed if isinstance(item, HtmlItem)}
        for item in items:
            if isinstance(item, HtmlItem):
                around = (places.get(one) for one in item.selector.root.iterancestors())
                above = next((one for one in around if one is not None), None)
                item.enclosing_id = id_of(above, self.site.fields.id) if above else None

    def _announced(self, page: Item, items: list[Item], fetched: Fetched) -> int | None:
        """How many posts the page says that it lists; without a word of it, those it marks up."""
        contract = self.site.contract
        total = whole_number(page.first(contract.total))
        if total is None:
            return len(items)
        size = contract.page_size
        if size is None:
            return max(len(items), min(total, 1) if standing_on(fetched) == 1 else 0)
        return max(len(items), min(size, total - (standing_on(fetched) - 1) * size))

    def _check_empty(
        self, page: Item, fetched: Fetched, text: str, *, announced: int | None
    ) -> None:
        if announced:
            total = whole_number(page.first(self.site.contract.total))
            raise DriftError(f"the page says that there are {total} posts and lists none")
        is_declared = any(page.has(selector) for selector in self.site.empty)
        if not is_declared and not self._is_json:
            raise unexpected(fetched, text, lacks=f"items ({self.site.items})")


def spider_of(site: Site) -> DeclaredSpider:
    """A spider of the site's own kind."""
    contract = site.contract
    made = type(
        f"{site.kind.title().replace('-', '')}Site",
        (DeclaredSpider,),
        {
            "__doc__": site.about or site.title,
            "site": site,
            "kind": site.kind,
            "title": site.title,
            "family": site.family,
            "config": config_of(site.kind, site.params, base_url=site.base_url),
            "minimum_interval_seconds": site.minimum_interval_seconds,
            "is_verified": site.verified,
            "is_opt_in": site.opt_in,
            "is_gapless": site.gapless,
            "overlap": timedelta(hours=site.overlap_hours),
            "promise": Promise(
                filled=contract.filled, least_share_of_announced=contract.least_share
            ),
        },
    )
    spider: DeclaredSpider = made()
    return spider
