"""The review site, with its state embedded in the page as Trustpilot's family does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from goodname.demo.page import Place, missing, page
from goodname.demo.pager import Slice, asked_page, cut
from goodname.demo.posts import Site
from goodname.demo.web import Request, Response
from goodname.demo.world import Shown

PER_PAGE = 10
_LANGUAGE_NAMES = {"en": "English", "pl": "polski", "lt": "lietuvių", "hr": "hrvatski"}
_COUNTRIES = {"en": "GB", "pl": "PL", "lt": "LT", "hr": "HR"}
_WORDS = ("one", "two", "three", "four", "five")


def company_page(request: Request, place: Place, *, domain: str) -> Response:
    """The reviews of one firm, as cards and as the state that made them."""
    world = place.world
    if domain != world.names.brand.domain:
        return missing(place)
    asked = asked_page(request.query.get("page"))
    language = request.query.get("languages", "all")
    everything = world.shown(Site.REVIEWS)
    chosen = [p for p in everything if language in ("all", p.entry.text.lang)]
    part = cut(chosen, number=asked, size=PER_PAGE)
    if asked > part.pages:
        return missing(place)
    answer = page(
        "reviews.html.j2",
        place=place,
        part=part,
        domain=domain,
        language=language,
        state=_state(place, part, everything, language),
    )
    return replace(answer, changed_at=world.changed_at(Site.REVIEWS), posts=part.ids)


def review_page(place: Place, *, review_id: str) -> Response:
    """One review on a page of its own."""
    post = place.world.find(Site.REVIEWS, review_id)
    if post is None:
        return missing(place, is_gone=place.world.is_gone(Site.REVIEWS, review_id))
    answer = page("review.html.j2", place=place, post=post)
    return replace(answer, changed_at=post.changed_at, posts=(post.id,))


def _state(
    place: Place, part: Slice, everything: Sequence[Shown], language: str
) -> Mapping[str, object]:
    brand = place.world.names.brand
    page_props = {
        "pageUrl": f"{place.base_url}/review/{brand.domain}",
        "businessUnit": _firm(place, everything),
        "reviews": [_review(post) for post in part.posts],
        "relevantReviews": [],
        "products": [],
        "filters": _filters(part, everything, language),
        "similarBusinessUnits": [],
        "noIndex": True,
    }
    return {
        "props": {"pageProps": page_props},
        "page": "/review/[businessUnit]",
        "query": {"languages": language, "businessUnit": brand.domain},
        "buildId": "goodname-demo",
        "isFallback": False,
        "gssp": True,
        "scriptLoader": [],
    }


def _firm(place: Place, everything: Sequence[Shown]) -> Mapping[str, object]:
    brand = place.world.names.brand
    stars = [post.rating for post in everything]
    score = round(sum(stars) / len(stars), 1) if stars else 0
    return {
        "id": _hex(brand.domain),
        "displayName": brand.nominative,
        "identifyingName": brand.domain,
        "numberOfReviews": len(everything),
        "trustScore": score,
        "stars": round(score * 2) / 2,
        "websiteUrl": f"https://{brand.domain}",
        "websiteTitle": brand.domain,
        "categories": [{"id": "home_appliances", "name": "Home appliances", "isPrimary": True}],
        "isClaimed": True,
        "isClosed": False,
        "isCollectingReviews": True,
    }


def _review(post: Shown) -> Mapping[str, object]:
    author = post.entry.author
    return {
        "id": post.id,
        "filtered": False,
        "isPending": False,
        "text": post.text,
        "rating": post.rating,
        "labels": {"merged": None, "verification": {"isVerified": False}},
        "title": post.title,
        "likes": post.entry.text.votes,
        "source": "Organic",
        "dates": {
            "experiencedDate": _stamp(_midnight(post.published_at - timedelta(days=1))),
            "publishedDate": _stamp(post.published_at),
            "updatedDate": _stamp(post.edited_at),
            "submittedDate": None,
        },
        "report": None,
        "hasUnhandledReports": False,
        "consumer": {
            "id": _hex(f"{author} {post.entry.town}"),
            "displayName": author,
            "imageUrl": "",
            "numberOfReviews": 1,
            "countryCode": _COUNTRIES.get(post.entry.text.lang, "GB"),
            "hasImage": False,
            "isVerified": False,
        },
        "reply": _reply(post),
        "consumersReviewCountOnSameDomain": 1,
        "productReviews": [],
        "language": post.entry.text.lang,
        "location": None,
    }


def _reply(post: Shown) -> Mapping[str, object] | None:
    if post.reply is None:
        return None
    published = _stamp(post.replied_at)
    return {"message": post.reply, "publishedDate": published, "updatedDate": None}


def _filters(part: Slice, everything: Sequence[Shown], language: str) -> Mapping[str, object]:
    languages = sorted({post.entry.text.lang for post in everything})
    stars = [post.rating for post in everything]
    counts = {word: stars.count(number) for number, word in enumerate(_WORDS, start=1)}
    return {
        "hasActiveFilters": language != "all",
        "totalNumberOfReviews": len(everything),
        "totalNumberOfFilteredReviews": part.total,
        "pagination": {
            "currentPage": part.number,
            "perPage": PER_PAGE,
            "totalCount": part.total,
            "totalPages": part.pages,
        },
        "selected": {"languages": language, "sort": "recency", "stars": None, "search": None},
        "reviewStatistics": {
            "hasMultipleLanguages": len(languages) > 1,
            "reviewLanguages": [
                {
                    "isoCode": code,
                    "reviewCount": sum(post.entry.text.lang == code for post in everything),
                    "displayName": _LANGUAGE_NAMES.get(code, code),
                }
                for code in languages
            ],
            "ratings": {"total": len(stars), **counts},
        },
    }


def _stamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hex(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()[:24]
