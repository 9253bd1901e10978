"""A preview for a person's eyes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.types import Post, PublishedQuality
from crawlers.contract import Page

if TYPE_CHECKING:
    from goodname.sources.preview import Seen

MOST_POSTS: Final = 5
_BAR: Final = 20
#: Not of the site but of us, or said in another way.
_HIDDEN: Final = frozenset({"external_id", "url", "kind", "is_deleted", "published_quality"})


def shown(seen: Seen, *, width: int) -> RenderableType:
    """What kind it is, how far each field is filled, the first posts, and the verdict."""
    parts: list[RenderableType] = [_head(seen), Text()]
    page = seen.visit.page
    if page is None:
        reason = _whole(f"nothing was read: {seen.visit.error}", "bold red")
        return Group(*parts, reason)
    if page.posts:
        parts += [_filled(seen, page), Text()]
        parts += [line for post in page.posts[:MOST_POSTS] for line in _post(post, width=width)]
    if len(page.posts) > MOST_POSTS:
        parts.append(Text(f"… and {len(page.posts) - MOST_POSTS} more posts\n", style="dim"))
    parts += [_whole(f"no post: {problem.reason}", "yellow") for problem in page.problems[:10]]
    parts += list(_verdict(seen, page))
    return Group(*parts)


def _head(seen: Seen) -> Text:
    spider = seen.spider
    head = _whole(spider.title)
    head.stylize("bold")
    head.append(f"  {spider.kind}, {spider.family.value}", style="cyan")
    head.append("  verified" if spider.is_verified else "  unverified",
                style="green" if spider.is_verified else "yellow")  # fmt: skip
    if seen.why:
        params = ", ".join(f"{key} = {value!r}" for key, value in seen.params.items())
        head.append(f"\nrecognised: {seen.why}; params = {{ {params} }}")
        head.append("\nto read it as another kind: --kind NAME, with its --params", style="dim")
    head.append(f"\n{seen.visit.fetched.url}", style="dim")
    return head


def _whole(words: str, style: str = "") -> Text:
    """Words that may hold an address: it can be copied only where no line is broken in it."""
    return Text(words, style=style, no_wrap=True, overflow="ignore")


def _filled(seen: Seen, page: Page) -> Table:
    """Each field with how many posts it speaks in; red where it never does."""
    table = Table.grid(padding=(0, 2))
    promised = seen.spider.promise.filled
    for name in (field.name for field in fields(Post) if field.name not in _HIDDEN):
        said = sum(getattr(post, name) not in (None, "", {}) for post in page.posts)
        share = said / len(page.posts)
        least = promised.get(name)
        is_short = least is not None and share < least
        style = "red" if is_short or (share == 0 and least) else _style(share)
        note = f"at least {least:.0%} is promised" if least is not None else ""
        table.add_row(
            Text(name, style=style),
            Text(("█" * round(share * _BAR)).ljust(_BAR, "·"), style=style),
            Text(f"{said} of {len(page.posts)}", style=style),
            Text(note, style="red" if is_short else "dim"),
        )
    return table


def _style(share: float) -> str:
    return "green" if share == 1 else "yellow" if share > 0 else "dim"


def _post(post: Post, *, width: int) -> Iterator[Text]:
    head = Text(f"{post.external_id}", style="bold")
    when = f"{post.published_at:%F %H:%M} UTC" if post.published_at else "no date"
    head.append(f"  {when}", style="" if post.published_at else "yellow")
    head.append(f"  {post.author or 'nobody'}", style="" if post.author else "yellow")
    if post.rating is not None:
        head.append(f"  {post.rating:g} of {post.rating_scale or 5:g}", style="magenta")
    if post.parent_id:
        head.append(f"  answers {post.parent_id}", style="dim")
    if post.published_quality is PublishedQuality.DAY:
        head.append("  (only the day is known)", style="dim")
    yield head
    if post.title:
        yield Text(_short(post.title, width), style="italic")
    yield Text(_short(post.text, 3 * width))
    reply = post.extra.get("reply")
    if isinstance(reply, dict):
        yield Text(_short(f"the firm answers: {reply.get('text', '')}", width), style="cyan")
    yield Text()


def _short(text: str, most: int) -> str:
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _verdict(seen: Seen, page: Page) -> Iterator[Text]:
    listed = "" if page.announced is None else f"; the page lists {page.announced}"
    posts = f"{len(page.posts)} post{'' if len(page.posts) == 1 else 's'}"
    yield Text(f"{posts}, items that gave none: {len(page.problems)}{listed}")
    last = "none, this is the last page" if page.dead_end is None else f"none: {page.dead_end}"
    yield _whole(f"next: {page.next.url if page.next else last}")
    if not page.posts and not page.problems:
        yield Text("the site says that there is nothing", style="yellow")
    for reason in seen.broken:
        yield _whole(f"the contract is broken: {reason}", "bold red")
    if seen.broken:
        return
    short = [name for name in seen.spider.promise.filled if _is_short(seen, page, name)]
    if short:
        names = ", ".join(short)
        yield Text(
            f"too few posts to judge the contract: {names} less than promised", style="yellow"
        )
    else:
        yield Text("the contract holds", style="bold green")


def _is_short(seen: Seen, page: Page, name: str) -> bool:
    said = sum(getattr(post, name) not in (None, "", {}) for post in page.posts)
    return said < seen.spider.promise.filled[name] * len(page.posts)
