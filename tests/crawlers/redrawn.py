"""The saved pages of a kind as forms: their frame, and one item to be filled in again and again.

What an item says is found by the expectation beside the page: the leaves that hold its id, its
text, its author and its date become places to fill. So each kind's own markup is drawn with
invented posts, and nothing here knows a kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from lxml import etree
from lxml import html as lxml_html

from crawlers.reading.markup import text_of, tidy
from tests.crawlers.growing import Said
from tests.crawlers.saved_pages import SavedPage, saved_pages

LIST, ID, TEXT, AUTHOR, AT = "zzLISTzz", "zzIDzz", "zzTEXTzz", "zzAUTHORzz", "zzAT"
_BARE = re.compile(r'"zzBARE(zz[A-Z0-9]+zz)"')  # a number in JSON
_NAMES = re.compile(r"""(\b(?:class|itemprop)=)(["'])[^"']+["']""")
_ODD = frozenset({"edited_at", "parent_id", "is_deleted"})
_FORMATS = (
    "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M", "%Y.%m.%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y. %H:%M",
    "%d.%m.%Y., %H:%M", "%d-%m-%Y, %H:%M", "%d.%m.%Y, %H:%M", "%B %d, %Y at %I:%M %p", "%m/%d/%Y",
    "%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y", "%d %B %Y",
    "%a %b %d %Y", "%a, %d %b %Y %H:%M:%S %z",
)  # fmt: skip
_ZONES = (
    "UTC",
    "Europe/Warsaw",
    "Europe/Vilnius",
    "America/New_York",
    "America/Los_Angeles",
    "Etc/GMT+7",
)


@dataclass(frozen=True, slots=True)
class Form:
    """One page to fill."""

    frame: str
    item: str
    written: Callable[[str], str]  #: a value as it stands in this markup
    is_json: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"

    def drawn(self, posts: Sequence[Said]) -> str:
        """The page with these posts."""
        between = ", " if self.is_json else ""
        return self.frame.replace(LIST, between.join(map(self._item, posts)), 1)

    def _item(self, post: Said) -> str:
        filled = self.item.replace(ID, str(post.id)).replace(
            AUTHOR, self.written(post.author or "")
        )
        for number, way in enumerate(_WAYS):
            place = f"{AT}{number}zz"
            if place in filled:
                filled = filled.replace(place, self.written(way(post.at)) if post.at else "")
        return filled.replace(TEXT, self.written(post.text)).replace(": ,", ": null,")

    @property
    def renamed(self) -> Form:
        """After a redesign: what held the text, or the whole item, has another name."""
        if self.is_json:
            keys = re.findall(rf'"([^"]+)": "[^"]*{TEXT}', self.item)
            return replace(
                self,
                item=re.sub(rf'"(?:{"|".join(keys)})": (?="[^"]*{TEXT})', '"new": ', self.item),
            )
        named = re.search(r"""\sclass=["']([^"']+)["']""", self.item)
        if named:
            return replace(self, item=_NAMES.sub(r"\1\2renamed\2", self.item))
        tag = re.findall(r"<([\w:]+)[^<>]*>", self.item.partition(TEXT)[0])[-1]
        return replace(self, item=re.sub(rf"(</?){tag}\b", r"\1renamed", self.item))

    @property
    def has_date(self) -> bool:
        """Whether a date can be written, and lost."""
        return AT in self.item


def _way(form: str, zone: str) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(ZoneInfo(zone)).strftime(form)


def _iso(zone: str) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


_WAYS: tuple[Callable[[datetime], str], ...] = (
    *(_iso(zone) for zone in _ZONES),
    *(_way(form, zone) for zone in _ZONES for form in _FORMATS),
    lambda moment: str(int(moment.timestamp())),
    lambda moment: str(int(moment.timestamp() * 1000)),
    lambda moment: format_datetime(moment),
)


@cache
def form_of(kind: str, name: str) -> Form:
    """A saved page as a form; ``LookupError`` where its items cannot be told apart."""
    page = next(one for one in saved_pages(kind) if one.path.stem == name)
    raw = page.path.read_bytes()
    posts = [post for post in page.expected["posts"] if post.get("text")]
    if page.path.suffix == ".json":
        return _of_json(json.loads(raw), posts)
    if page.path.suffix == ".xml":
        return _of_tree(etree.fromstring(raw), posts, page)
    tree = lxml_html.document_fromstring(raw.decode("utf-8"))
    for script in tree.iter("script"):
        if script.text and posts[0]["text"][:20] in script.text:
            form = _of_json(json.loads(script.text), posts)
            script.text = "zzSCRIPTzz"
            whole = lxml_html.tostring(tree, encoding="unicode")
            return Form(whole.replace("zzSCRIPTzz", form.frame), form.item, form.written, True)
    return _of_tree(tree, posts, page)


def _of_json(told: Any, posts: Sequence[dict[str, Any]]) -> Form:
    for items in _lists(told):
        whole = [json.dumps(item, ensure_ascii=False) for item in items]
        number, model = _model(
            whole, posts, lambda text: json.dumps(text, ensure_ascii=False)[1:-1]
        )
        if model is None:
            continue
        item = json.dumps(_with_places(items[number], model), ensure_ascii=False)
        items[:] = [LIST]
        frame = json.dumps(told, ensure_ascii=False).replace(f'"{LIST}"', LIST)
        return Form(
            frame,
            _BARE.sub(r"\1", item),
            lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
            True,
        )
    raise LookupError("no list of items")


def _model(
    whole: Sequence[str], posts: Sequence[dict[str, Any]], written: Callable[[str], str]
) -> tuple[int, dict[str, Any] | None]:
    """The item that says most, and the post that it is."""
    found = [
        (len(post), number, post)
        for number, text in enumerate(whole)
        for post in posts
        if written(post["text"][:20]) in text or tidy(text_of(text)).find(post["text"][:20]) >= 0
    ]
    if len({number for _, number, _ in found}) < 2:
        return 0, None
    plain = [one for one in found if not _ODD & one[2].keys()] or found
    _, number, post = max(plain, key=lambda one: (bool(one[2].get("published_at")), one[0]))
    return number, post


def _lists(told: Any) -> Iterator[list[Any]]:
    if isinstance(told, list):
        if len(told) >= 2:
            yield told
        for one in told:
            yield from _lists(one)
    elif isinstance(told, dict):
        for one in told.values():
            yield from _lists(one)


def _with_places(value: Any, post: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _with_places(one, post) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_places(one, post) for one in value]
    if isinstance(value, str):
        return _leaf(value, post)
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = str(int(value)) if value == value // 1 else str(value)
        placed = _leaf(whole, post)
        return f"zzBARE{placed}" if placed != whole and placed.startswith("zz") else value
    return value


def _leaf(value: str, post: dict[str, Any]) -> str:
    """A leaf of an item, with a place where it says what the post has."""
    bare = tidy(value)
    letters, said = _letters(text_of(value)), _letters(post["text"])
    if letters[:12] == said[:12] and 0.7 * len(said) <= len(letters) <= 1.4 * len(said):
        return TEXT
    if post.get("author") and bare == post["author"]:
        return AUTHOR
    if post.get("published_at"):
        moment = datetime.fromisoformat(post["published_at"]).astimezone(UTC)
        for number, way in enumerate(_WAYS):
            said = way(moment)
            if len(said) >= 8 and said in value and (said == bare or not said.isdigit()):
                return value.replace(said, f"{AT}{number}zz")
    core = _core(post["external_id"])
    return value.replace(core, ID) if core in value and (core != value or len(core) > 1) else value


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _core(external_id: str) -> str:
    """The part of an id that tells it from others."""
    runs = re.findall(r"[0-9A-Za-z]+", external_id.removeprefix("t1_").removeprefix("t3_"))
    return max(reversed(runs), key=len) if len(runs) > 1 and len(runs[-1]) < 4 else runs[-1]


def _of_tree(tree: Any, posts: Sequence[dict[str, Any]], page: SavedPage) -> Form:
    is_xml = page.path.suffix == ".xml"
    holders = [_holder(tree, post["text"]) for post in posts]
    known = [(post, one) for post, one in zip(posts, holders, strict=True) if one is not None]
    for (post, one), (_, other) in ((a, b) for a in known for b in known if a[1] is not b[1]):
        above = [one, *one.iterancestors()]
        common = next(up for up in [other, *other.iterancestors()] if up in above)
        if common in (one, other):
            continue
        item = above[above.index(common) - 1]
        items = {
            up for _, it in known for up in [it, *it.iterancestors()] if up.getparent() is common
        }
        if _ODD & post.keys():
            continue
        return _cut(tree, item, items, post, is_xml=is_xml)
    raise LookupError("no two items beside each other")


def _holder(tree: Any, text: str) -> Any:
    """The smallest element that says the text."""
    found = None
    for element in tree.iter():
        if (isinstance(element.tag, str) and text[:30] in tidy("".join(element.itertext()))) or (
            isinstance(element.tag, str) and element.text and tidy(text_of(element.text)) == text
        ):
            found = element
    return found


def _cut(tree: Any, item: Any, items: set[Any], post: dict[str, Any], *, is_xml: bool) -> Form:
    common = item.getparent()
    place = etree.SubElement(common, "zzLISTzz")
    common.insert(common.index(item), place)
    for one in items:
        common.remove(one)
    item.tail = None
    holder = _holder(item, post["text"])
    if holder is not None and holder is not item:
        for child in list(holder):
            holder.remove(child)
        holder.text = TEXT
    for element in item.iter():
        if not isinstance(element.tag, str):
            continue
        element.text = element.text and _leaf(element.text, post)
        element.tail = element.tail and _leaf(element.tail, post)
        for name, value in element.attrib.items():
            element.attrib[name] = _leaf(value, post)
    write = etree.tostring if is_xml else lxml_html.tostring
    frame = re.sub(r"(?i)<zzLISTzz[^>]*?(/>|></zzLISTzz>)", LIST, write(tree, encoding="unicode"))
    return Form(frame, write(item, encoding="unicode"), lambda value: escape(value), False)


#: The page of each kind that is drawn: the first whose items all follow the same form.
PAGES: Final = {
    "appstore": "first", "bbb": "last", "bluesky": "first", "ceneo": "first",
    "complaintsboard": "first", "discourse": "first", "facebook": "first", "forumhr": "first",
    "google-business": "bad_items", "gowork": "last", "indexhr": "first", "mastodon": "first",
    "mastodon-search": "first", "nodebb": "first", "opineo": "first_with_reply", "reddit": "first",
    "reddit-feed": "comments", "rekvizitai": "first_with_reply", "schema-org": "first",
    "sitejabber": "newest", "telegram": "first", "vbulletin": "first", "woocommerce": "newest",
    "woocommerce-v3": "newest", "wordpress": "first", "wykop": "first", "x": "first",
    "xenforo": "first", "youtube": "first",
}  # fmt: skip


def _whole(kind: str, name: str) -> Form:
    given = next(one for one in saved_pages(kind) if one.path.stem == name).expected.get(
        "given", {}
    )
    headers = dict(given.get("headers", {}))
    if "content_type" in given:
        headers["content-type"] = given["content_type"]
    zone = given.get("time_zone", "UTC")
    return replace(form_of(kind, name), headers=headers, zone=zone)


#: Kinds that are not drawn, and why.
NOT_DRAWN: Final = {
    "article": "a page holds one post",
    "bbb-reviews": "its dates are three numbers, each of which stands elsewhere, too",
    "bluesky-stream": "a stream has no page that can be seen twice",
    "delfi": "the firm's answers stand within the comments of its saved page",
    "googleplay": "its items are arrays without names within a script",
    "isso": "its answers stand within the comments that they answer",
    "phpbb": "its posts are the children of two different elements each",
    "pissedconsumer": "the text of a review is put together of two parts",
    "ripoffreport": "a page holds one report",
    "wordpress-page": "its comments are threaded, each within the one that it answers",
    "youtube-channel": "its saved pages with two videos and more hold broken ones",
}

REDRAWN: Final[dict[str, Form]] = {kind: _whole(kind, name) for kind, name in PAGES.items()}
