"""JSON APIs: objects in an array somewhere in the answer."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from crawlers.contract import Family, Fetched, Request
from crawlers.errors import CrawlError, DriftError
from crawlers.families.items import ItemSpider, Listing
from crawlers.reading.answers import unexpected
from crawlers.reading.json_body import Json, at, name_of, parse_json


class JsonSpider(ItemSpider[Json]):
    """Reads an array of objects; the parts that differ are small functions of a spider."""

    family = Family.JSON_API
    #: Keys to the array, from the top; empty when the answer itself is the array.
    items_at: ClassVar[tuple[str, ...]] = ()
    id_key: ClassVar[str] = "id"
    #: Whether nothing stands behind a page without items, whatever it says of a next one.
    ends_empty: ClassVar[bool] = True

    #: No site gives so many at once; some take half a millisecond to read.
    most_items: ClassVar[int] = 2_000

    @override
    def listing(self, fetched: Fetched, text: str, config: Any) -> Listing[Json]:
        """The array, wherever this API keeps it."""
        body = self.body(fetched, text)
        items = self.items(body, fetched)
        if len(items) > self.most_items:
            return self._first_of(items)
        goes_on = bool(items) or not self.ends_empty
        return Listing(
            items=items,
            announced=self.announced(body, items),
            next=self._following_or_why(body, fetched, config) if goes_on else None,
        )

    def _first_of(self, items: list[Json]) -> Listing[Json]:
        """Some of far more than were asked for; the run ends with them, the cursor stays."""
        says = f"the answer lists {len(items)} items, of which {self.most_items} were read"
        return Listing(
            items=items[: self.most_items], announced=self.most_items, next=DriftError(says)
        )

    def _following_or_why(
        self, body: Json, fetched: Fetched, config: Any
    ) -> Request | CrawlError | None:
        try:
            return self.following(body, fetched, config)
        except CrawlError as error:
            return error

    def body(self, fetched: Fetched, text: str) -> Json:
        """The answer as JSON; an HTML page in its place is a wall or a challenge."""
        if text.lstrip("\ufeff \t\r\n")[:1] == "<":
            raise unexpected(fetched, text, lacks="JSON")
        return parse_json(text, what="the answer")

    def items(self, body: Json, fetched: Fetched) -> list[Json]:
        """The array; ``DriftError`` where there is none."""
        del fetched
        found = at(body, *self.items_at)
        if not isinstance(found, list):
            raise DriftError(f"the answer has no list {'.'.join(self.items_at) or 'of items'}")
        return found

    def announced(self, body: Json, items: list[Json]) -> int | None:
        """How many items the answer says that it lists; an API lists what it lists."""
        del body
        return len(items)

    def following(self, body: Json, fetched: Fetched, config: Any) -> Request | None:
        """The next page; ``DriftError`` where there is one and it cannot be asked for."""
        del body, fetched, config
        return None

    @override
    def id_of(self, item: Json) -> str | None:
        """The id of an item that may be unreadable otherwise."""
        return name_of(at(item, self.id_key))
