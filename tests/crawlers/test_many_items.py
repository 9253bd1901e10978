"""A page of ten times as many items takes about ten times as long, and not a hundred times."""

from __future__ import annotations

import re
import time

import pytest
from lxml import etree

from tests.crawlers.saved_pages import parse, saved_pages

FEW, MANY = 150, 1500
#: Linear is 10, quadratic 100.
MOST_TIMES = 30
_NUMBER = re.compile(r"\d+")
#: One item of the page ``first`` of a kind, and the attribute that holds its number.
ITEMS = {
    "bbb": ("li", "id"),
    "consumeraffairs": ("div", "data-id"),
    "phpbb": ("div", "id"),
    "pissedconsumer": ("div", "data-id"),
    "vbulletin": ("li", "id"),
    "wordpress-page": ("li", "id"),
    "xenforo": ("article", "data-content"),
}


def _numbers(said: str | None) -> set[str]:
    return {said or "", *_NUMBER.findall(said or "")}


def page_of(kind: str, number: int) -> bytes:
    """The first saved page of a kind, with one of its items again and again."""
    saved = next(one for one in saved_pages(kind) if one.path.stem == "first")
    tag, attribute = ITEMS[kind]
    tree = etree.fromstring(saved.path.read_bytes(), etree.HTMLParser(encoding="utf-8"))
    ids = {post["external_id"] for post in saved.expected["posts"]}
    item = next(one for one in tree.iter(tag) if _numbers(one.get(attribute)) & ids)
    name = _NUMBER.findall(item.get(attribute))[-1]
    above, place = item.getparent(), item.getparent().index(item)
    source = etree.tostring(item, encoding="unicode", method="html", with_tail=False)
    above.remove(item)
    mark = etree.Element("mark")
    above.insert(place, mark)
    copies = "".join(source.replace(name, str(10**8 + one)) for one in range(number))
    page = etree.tostring(tree, encoding="unicode", method="html")
    return page.replace("<mark></mark>", copies).encode()


def seconds(kind: str, number: int) -> float:
    """CPU time for a page of so many items, all of which must be read."""
    body, took = page_of(kind, number), []
    for _ in range(2):
        began = time.process_time()
        found = parse(kind, body)
        took.append(time.process_time() - began)
        assert len(found.posts) >= number, found.problems[:1]
    return min(took)


@pytest.mark.parametrize("kind", sorted(ITEMS))
def test_the_time_for_a_page_grows_with_its_items_and_not_with_their_square(kind: str) -> None:
    assert seconds(kind, MANY) < MOST_TIMES * seconds(kind, FEW)
