"""RSS, Atom, RDF and CDF as one list of entries; XML of strangers, read tolerantly and safely.

The usual library for this raises on lone surrogates, sees nothing in mislabelled UTF-16, takes
seconds over an entity bomb and cannot tell a whole item from one that was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from typing_extensions import override

from crawlers.errors import DriftError
from crawlers.reading.feed_text import plain_text
from crawlers.reading.xml_text import is_cut_off, is_ended, mended

_ROOTS = ("rss", "feed", "rdf", "channel")
_ITEMS = ("item", "entry")
_NAMESPACES = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://purl.org/syndication/thread/1.0": "thr",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/2005/atom": "atom",
    "http://purl.org/atom/ns#": "atom",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://purl.org/rss/1.0/": "",
    "http://backend.userland.com/rss2": "",
}
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed, as it says itself; absent things are empty."""

    guid: str = ""
    link: str = ""
    title: str = ""
    text: str = ""
    author: str = ""
    published: str = ""
    updated: str = ""
    language: str = ""
    parent: str = ""
    categories: tuple[str, ...] = ()
    comments: int | None = None
    comments_link: str = ""
    views: int | None = None
    likes: int | None = None
    raw: str = ""  #: the markup, cut short, for whoever must see why it is no post


class Entries(Sequence[Entry]):
    """Entries that are read when they are asked for: a feed may list a hundred thousand."""

    def __init__(self, items: Sequence[Any], read: Callable[[Any], Entry]) -> None:
        self._items, self._read = items, read

    @override
    def __len__(self) -> int:
        return len(self._items)

    @override
    def __getitem__(self, place: Any) -> Any:
        found = self._items[place]
        return [self._read(one) for one in found] if isinstance(place, slice) else self._read(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed and its whole items; what is cut off at its end is given as it stands there."""

    entries: Sequence[Entry] = ()
    language: str = ""
    author: str = ""  #: of every entry that names none
    losses: tuple[str, ...] = field(default=())  #: reasons why there may be more than ``entries``


def read_xml(text: str) -> Feed:
    """Read a feed; ``DriftError`` when it declares entities or is no feed at all."""
    root, complaints = _parse(text)
    if _local(root) not in _ROOTS:
        raise DriftError(f"the document is no feed: its root is <{_local(root)[:40]}>")
    items = [node for node in root.iter() if _is_item(node, root)]
    if not items and not is_ended(text):
        raise DriftError("the feed is cut off before its first item")
    losses = []
    if is_cut_off(text):
        losses.append("the feed ends in the middle of an item")
        items = items[:-1]
    elif not is_ended(text):
        losses.append("the feed has no end: there may have been more items")
    if any("depth" in complaint.lower() for complaint in complaints):
        losses.append("the feed is nested so deep that the rest of it cannot be read")
        items = _without_broken(items, root)
    if any("extra content" in complaint.lower() for complaint in complaints):
        losses.append("the feed goes on after its end")
    head = _Parts(next((node for node in root if _local(node) == "channel"), root))
    return Feed(
        entries=Entries(items, _entry),
        language=head.text("language") or head.text("dc:language") or root.get(f"{_XML}lang", ""),
        author=_author(head),
        losses=tuple(losses),
    )


def _parse(text: str) -> tuple[Any, list[str]]:
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(mended(text).encode("utf-8", "replace"), parser)
    if root is None:
        raise DriftError("the document is no XML")
    return root, [error.message for error in parser.error_log]


def _is_item(node: Any, root: Any) -> bool:
    if _local(node) not in _ITEMS or node is root:
        return False
    parent = _local(node.getparent())
    return parent in _ROOTS or parent == "items"


def _without_broken(items: list[Any], root: Any) -> list[Any]:
    """Without the item in which the parser gave up."""
    *_, last = root.iter()
    return [item for item in items if item is not last and item not in last.iterancestors()]


def _entry(item: Any) -> Entry:
    parts = _Parts(item)
    media = _inside(parts, "media:group")
    liked = _inside(media, "community")
    raw = etree.tostring(item, encoding="unicode", with_tail=False)
    return Entry(
        guid=parts.first("guid", "id", "dc:identifier") or item.get(_ABOUT, "").strip(),
        link=_link(parts),
        title=parts.shown("title", "atom:title", "dc:title", "media:title"),
        text=parts.shown(
            "content:encoded",
            "content",
            "xhtml:body",
            "body",
            "fullitem",
            "description",
            "summary",
            "abstract",
            "dc:description",
            "atom:content",
            "atom:summary",
            "media:description",
        )
        or media.shown("description"),
        author=_author(parts),
        published=parts.first(
            "pubdate",
            "published",
            "issued",
            "dc:date",
            "dcterms:created",
            "dcterms:issued",
            "created",
            "atom:published",
        ),
        updated=parts.first("updated", "modified", "dcterms:modified", "atom:updated"),
        language=item.get(f"{_XML}lang", "") or parts.first("dc:language", "language"),
        parent=next((n.get("ref", "") for n in parts.all("thr:in-reply-to")), ""),
        categories=tuple(_categories(parts)),
        comments=_number(parts.first("slash:comments", "thr:total")),
        comments_link=parts.first("comments"),
        views=_attribute(liked, "statistics", "views"),
        likes=_attribute(liked, "starrating", "count"),
        raw=raw[:500],
    )


def _link(parts: _Parts) -> str:
    nodes = [*parts.all("link"), *parts.all("atom:link"), *parts.all("url")]
    for node in nodes:
        if node.get("href") and node.get("rel", "alternate").lower() in ("alternate", ""):
            return str(node.get("href")).strip()
    written = (str(node.text or "").strip() for node in nodes if not node.get("href"))
    return next(filter(None, written), "") or parts.node.get("href", parts.node.get("HREF", ""))


def _author(parts: _Parts) -> str:
    for key in ("author", "atom:author", "dc:creator", "dc:author", "contributor", "dc:publisher"):
        for node in parts.all(key):
            inside = _Parts(node)
            name = inside.first("name", "atom:name", "email")
            if name or (len(node) == 0 and plain_text(node)):
                return name or plain_text(node)
    return ""


def _categories(parts: _Parts) -> Iterable[str]:
    for node in (*parts.all("category"), *parts.all("dc:subject")):
        if said := (node.get("term") or node.get("label") or plain_text(node)).strip():
            yield said


def _inside(parts: _Parts, name: str) -> _Parts:
    """The children of the first child of that name; nothing where there is none."""
    return _Parts(next(iter(parts.all(name)), etree.Element("none")))


def _attribute(parts: _Parts, name: str, attribute: str) -> int | None:
    return next((_number(node.get(attribute, "")) for node in parts.all(name)), None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


class _Parts:
    """The children of an element by name: ``title`` for its own family, ``media:title`` others.

    The names are small letters, because old formats shout.
    """

    def __init__(self, node: Any) -> None:
        self.node = node
        self._space = _space(node)
        self._by_name: dict[str, list[Any]] = {}
        for child in node:
            self._by_name.setdefault(self._name(child), []).append(child)

    def all(self, name: str) -> list[Any]:
        """Every child of that name."""
        return self._by_name.get(name, [])

    def text(self, name: str) -> str:
        """What the first child of that name says, as plain text."""
        return next((plain_text(node) for node in self.all(name)), "")

    def first(self, *names: str) -> str:
        """The first of these names that says something, as it stands."""
        said = ("".join(node.itertext()).strip() for name in names for node in self.all(name))
        return next(filter(None, said), "")

    def shown(self, *names: str) -> str:
        """The first of these names that shows something to a reader."""
        said = (plain_text(node) for name in names for node in self.all(name))
        return next(filter(None, said), "")

    def _name(self, child: Any) -> str:
        if not isinstance(child.tag, str):
            return ""  # an entity that was not resolved
        space, local = _space(child), _local(child)
        if space == self._space:
            return local  # may be "content:encoded", where the prefix was never declared
        family = _NAMESPACES.get(space.lower(), "other" if space else "")
        return f"{family}:{local}" if family else local


def _local(node: Any) -> str:
    """The name without its namespace; a prefix that was never declared stays a part of it."""
    return str(node.tag).rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _space(node: Any) -> str:
    return str(node.tag)[1:].partition("}")[0] if str(node.tag).startswith("{") else ""
