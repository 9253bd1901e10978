"""When and where the texts appear."""

from __future__ import annotations

from itertools import product

import pytest

from goodname.demo.posts import LANGUAGES, About, Role, Site, own_pool
from goodname.demo.timeline import Entry, plan

POOL = own_pool()


def of_role(entries: tuple[Entry, ...], role: Role) -> list[Entry]:
    return [entry for entry in entries if entry.text.role is role]


def test_the_same_seed_gives_the_same_world() -> None:
    assert plan(POOL, seed=3) == plan(POOL, seed=3)


def test_another_seed_changes_order_places_and_ids() -> None:
    one, other = ([(e.text.key, e.site, e.external_id) for e in plan(POOL, seed=s)] for s in (3, 4))
    assert [key for key, _, _ in one] != [key for key, _, _ in other]
    places = {key: site for key, site, _ in other}
    assert any(places[key] is not site for key, site, _ in one)
    assert not {number for _, _, number in one} & {number for _, _, number in other}


@pytest.mark.parametrize("seed", range(20))
def test_the_story_of_the_fire_is_told_in_time(seed: int) -> None:
    entries = plan(POOL, seed=seed)
    (fire,) = of_role(entries, Role.INCIDENT)
    assert fire.site is Site.BOARD
    assert fire.at <= 8
    assert fire.text.severity == "critical"
    copies = of_role(entries, Role.COPY)
    assert {copy.site for copy in copies} == {Site.FORUM, Site.REVIEWS, Site.SOCIAL}
    assert {copy.text.lang for copy in copies} == {"en", "pl", "lt", "hr"}
    assert all(fire.at < copy.at <= 60 for copy in copies)


@pytest.mark.parametrize("seed", range(20))
def test_the_world_grows_for_some_minutes_and_repeats_nothing(seed: int) -> None:
    entries = plan(POOL, seed=seed)
    assert len(entries) == len(POOL.ordinary) + len(POOL.script)
    assert len({entry.text.key for entry in entries}) == len(entries)
    assert 300 <= max(entry.at for entry in entries) <= 600
    told = {(entry.site, entry.text.lang) for entry in entries if entry.site is not Site.BUREAU}
    assert told == set(product(set(Site) - {Site.BUREAU}, LANGUAGES))


@pytest.mark.parametrize("seed", range(20))
def test_what_stands_at_the_start_is_mild(seed: int) -> None:
    standing = [e for e in plan(POOL, seed=seed) if e.at <= 0]
    assert 20 <= len(standing) <= 32
    assert {e.text.severity for e in standing} <= {"none", "low", "medium"}
    assert {e.site for e in standing} == set(Site)


@pytest.mark.parametrize("seed", range(20))
def test_ids_are_unique_and_rise_where_the_site_counts(seed: int) -> None:
    entries = plan(POOL, seed=seed)
    for site in Site:
        ids = [entry.external_id for entry in entries if entry.site is site]
        assert len(set(ids)) == len(ids)
        if site is not Site.REVIEWS:
            assert [int(i) for i in ids] == sorted(int(i) for i in ids)


def test_what_is_not_about_the_brand_stays_in_the_forum() -> None:
    strangers = [e for e in plan(POOL, seed=7) if e.text.about in (About.RIVAL, About.NONE)]
    assert strangers
    assert {entry.site for entry in strangers} == {Site.FORUM}


def test_comments_hang_on_the_calm_thread() -> None:
    entries = plan(POOL, seed=7)
    (thread,) = of_role(entries, Role.THREAD)
    comments = [entry for entry in entries if entry.story_id]
    assert len(comments) >= 5
    assert {comment.story_id for comment in comments} == {thread.external_id}


@pytest.mark.parametrize("seed", range(20))
def test_the_name_under_a_text_fits_its_grammar(seed: int) -> None:
    spoken = [e for e in plan(POOL, seed=seed) if e.text.voice and not e.text.author]
    assert spoken
    for entry in spoken:
        assert entry.text.voice is not None
        assert f"{entry.author}|{entry.town}" in POOL.authors[entry.text.lang][entry.text.voice]
