"""The example of the docs is a whole site that reads what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from crawlers.contract import Fetched
from crawlers.declared.load import load_site

DOCS = Path(__file__).parents[3] / "docs/sources.md"
PAGE = """
<span class="review-count">2 reviews</span>
<ul>
<li class="review" data-id="11"><h3>Never again</h3><b class="nick">Ola <i>top</i></b>
  <span class="when">wczoraj, 10:00</span><i class="stars stars-one"></i>
  <div class="body"><p>Cieknie.</p><p>Nie polecam.</p></div><span class="helpful">7</span>
  <div class="replies"><div class="firm"><p class="text">Przepraszamy.</p></div></div></li>
<li class="review" data-id="12"><span class="firm-badge"></span><p class="review-body">My</p></li>
</ul>
<div class="pager"><a>1</a><a>2</a></div>
"""


def test_the_example_reads_a_page(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    assert example is not None
    path = tmp_path / "kettle-talk.yaml"
    path.write_text(example[1], "utf-8")
    spider = load_site(path)
    config = spider.config.model_validate({"firm": "kavira"})
    start = spider.start(config, cursor={})
    fetched = Fetched(
        url=start.url,
        status=200,
        headers={},
        body=PAGE.encode(),
        fetched_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    page = spider.parse(fetched, config, cursor={}, ahead={})
    [post] = page.posts
    assert (post.external_id, post.title, post.author) == ("11", "Never again", "Ola")
    assert post.text == "Cieknie.\n\nNie polecam."
    assert (post.rating, post.engagement) == (1, {"likes": 7})
    assert post.published_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert post.extra["reply"] == {"text": "Przepraszamy."}
    assert post.url == "https://talk.example/kavira#review-11"
    assert (page.announced, page.problems) == (1, ())
    assert page.next is not None
    assert page.next.url == "https://talk.example/kavira?page=2"
