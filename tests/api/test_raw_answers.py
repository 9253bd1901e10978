"""What a site answered can be seen and taken home, by whose mention it is and nobody else."""

from __future__ import annotations

import base64
import hashlib

from sqlalchemy.orm import Session

from api.shown import show_id
from core.ids import Prefix
from core.models import PostRow, Source
from core.types import Role
from tests.api.conftest import Ask, Customer, Visitor
from tests.api.rows import add_answer, add_delivery, add_mention, add_post
from tests.factories import NOW

PAGE = b"<html><script>alert(1)</script>\xff</html>"


def path_of(customer: Customer, version: int | None = None) -> str:
    shown = f"/v1/mentions/{show_id(Prefix.MENTION, customer.mention.id)}/evidence"
    return shown if version is None else f"{shown}/{version}"


def test_the_answers_of_a_mention_are_listed_with_their_hashes(
    ask: Ask, ours: Customer, session: Session
) -> None:
    post = session.get_one(PostRow, ours.mention.post_id)
    post.version = 2
    add_answer(session, post, PAGE, expires_at=None)
    session.commit()
    told = ask("GET", path_of(ours), key=ours.keys[Role.ANALYST])
    assert told.status_code == 200
    first, second = told.json()["items"]
    assert (first["version"], first["expires_at"]) == (1, "2026-03-09T12:00:20Z")
    assert second == {
        "version": 2,
        "url": post.url,
        "status": 200,
        "headers": {"content-type": "text/html"},
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "size_bytes": len(PAGE),
        "fetched_at": "2026-03-02T12:00:20Z",
        "expires_at": None,
        "download": path_of(ours, 2),
    }


def test_a_body_comes_as_it_was_and_no_browser_runs_it(
    ask: Ask, ours: Customer, session: Session
) -> None:
    post = session.get_one(PostRow, ours.mention.post_id)
    post.version = 2
    add_answer(session, post, PAGE)
    session.commit()
    got = ask("GET", path_of(ours, 2), key=ours.keys[Role.OWNER])
    assert got.content == PAGE
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    disposition = got.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.endswith('-version-2.txt"')
    digest = base64.b64encode(hashlib.sha256(PAGE).digest()).decode()
    assert got.headers["content-digest"] == f"sha-256=:{digest}:"


def test_a_mention_without_answers_has_an_empty_list_and_nothing_to_download(
    ask: Ask, ours: Customer, session: Session, source: Source
) -> None:
    bare = add_mention(session, ours.brand, add_post(session, source))
    session.commit()
    path = f"/v1/mentions/{show_id(Prefix.MENTION, bare.id)}/evidence"
    assert ask("GET", path, key=ours.keys[Role.OWNER]).json() == {"items": []}
    for version, status in (("1", 404), ("0", 422), ("x", 422), (str(2**31), 422)):
        assert ask("GET", f"{path}/{version}", key=ours.keys[Role.OWNER]).status_code == status


def test_a_page_shared_with_another_customer_is_reached_only_by_ones_own_mention(
    ask: Ask, ours: Customer, theirs: Customer, session: Session
) -> None:
    key = ours.keys[Role.ADMIN]
    for version in (None, 1):
        assert ask("GET", path_of(theirs, version), key=key).status_code == 404
    assert ask("GET", path_of(ours, 1), key=key).content == b"<p>canary-ours</p>"
    assert session.get_one(PostRow, theirs.mention.post_id).source_id is not None


def test_the_page_of_a_mention_shows_where_it_went_and_links_to_the_answer(
    visitor: Visitor, ours: Customer, theirs: Customer, session: Session
) -> None:
    visitor.log_in(ours.keys[Role.ANALYST])
    shown = show_id(Prefix.MENTION, ours.mention.id)
    post = session.get_one(PostRow, ours.mention.post_id)
    sayings = (
        ({"missing_since": NOW}, "not listed by its source since"),
        ({"missing_since": None, "deleted_at": NOW, "gone_reason": "deleted"}, "deleted on its"),
        ({"gone_reason": "removed_after_resolution"}, "resolved, and removed from its source"),
    )
    for values, said in sayings:
        for name, value in values.items():
            setattr(post, name, value)
        session.commit()
        page = visitor.get(f"/mentions/{shown}").text
        assert said in page
    digest = hashlib.sha256(b"<p>canary-ours</p>").hexdigest()
    assert digest in page
    link = f"/mentions/{shown}/evidence/1"
    assert f'href="{link}"' in page
    assert visitor.get(link).content == b"<p>canary-ours</p>"
    foreign = show_id(Prefix.MENTION, theirs.mention.id)
    assert visitor.get(f"/mentions/{foreign}/evidence/1").status_code == 404


def test_an_open_alert_says_that_its_post_is_gone_and_who_was_told_so(
    visitor: Visitor, ours: Customer, session: Session
) -> None:
    visitor.log_in(ours.keys[Role.ANALYST])
    alert = f"/alerts/{show_id(Prefix.ALERT, ours.alert.id)}"
    told = "that it was deleted"
    for path in (alert, "/page/alerts"):
        assert "on its source" not in visitor.get(path).text
    assert told not in visitor.get(alert).text
    post = session.get_one(PostRow, ours.mention.post_id)
    post.deleted_at, post.gone_reason = NOW, "deleted"
    add_delivery(session, ours.alert, ours.receiver, event="mention.deleted", sequence=7)
    session.commit()
    for path in (alert, "/page/alerts"):
        assert "deleted on its source" in visitor.get(path).text
    assert told in visitor.get(alert).text


def test_a_mention_shows_what_became_of_the_complaint(
    ask: Ask, visitor: Visitor, ours: Customer, session: Session
) -> None:
    path = f"/mentions/{show_id(Prefix.MENTION, ours.mention.id)}"
    visitor.log_in(ours.keys[Role.ANALYST])
    assert "What became of it" not in visitor.get(path).text
    answer = {"text": "We <b>refund</b> you today.", "published_at": "2026-09-27T00:00:00+00:00"}
    extra = {"case": {"status": "resolved", "says": "Resolved", "answers": [answer]}, "likes": 3}
    session.get_one(PostRow, ours.mention.post_id).extra = extra
    session.commit()
    page = visitor.get(path).text
    assert '<strong dir="auto">Resolved</strong>' in page
    assert "We &lt;b&gt;refund&lt;/b&gt; you today." in page
    assert "27 Sep 2026" in page
    shown = ask("GET", f"/v1{path}", key=ours.keys[Role.ANALYST]).json()
    assert shown["extra"] == extra


def test_the_api_says_where_a_mention_went(ask: Ask, ours: Customer, session: Session) -> None:
    post = session.get_one(PostRow, ours.mention.post_id)
    post.deleted_at, post.gone_reason = NOW, "removed_after_resolution"
    session.commit()
    (item,) = ask("GET", "/v1/mentions", key=ours.keys[Role.OWNER]).json()["items"]
    assert (item["gone_reason"], item["missing_since"]) == ("removed_after_resolution", None)
