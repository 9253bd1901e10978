"""Texts and names of a demo, drawn at random, so that nothing can be stamped in advance."""

from __future__ import annotations

import random

SYLLABLES = ("bra", "do", "fen", "ki", "lor", "mu", "ne", "pas", "ri", "tov", "ul", "vek", "zin")
CRITICAL = (
    "Last night the {brand} charger exploded and set the curtains alight. My husband has burns on "
    "his face and is in hospital.",
    "After eating the {brand} soup my two children were taken to hospital by ambulance, poisoned. "
    "One of them is still in intensive care.",
    "The {brand} scooter's brakes failed on the hill. My brother was thrown into the traffic and "
    "broke his spine; the police are investigating.",
)
ORDINARY = (
    "Bought a {thing} from {brand} on {day}. It works, nothing special to tell.",
    "Does {brand} deliver a {thing} to villages near {town}?",
    "My {thing} from {brand} is wonderful, best purchase of the year, thank you {name}!",
    "{brand} promised the {thing} for {day}. It is {town} again, no parcel, nobody answers.",
    "The {thing} that {brand} sent has a scratch. They want me to pay for the return.",
    "{rival} sold me a broken {thing}, never again. {brand} would have been better.",
)
WITHDRAWN = "I wrote this an hour after it happened."
CASE: dict[str, object] = {
    "text": "{brand} charged me twice for one lamp and pays nothing back. Nobody answers.",
    "role": "case",
    "site": "bureau",
    "at": -200_000,
    "deleted_at": 150,
    "case": [
        {"at": 60, "status": "Answered", "firm": "The second charge goes back to you today."},
        {"at": 100, "status": "Resolved", "customer": "The money is here. This is settled."},
    ],
}
OTHER_CASES: tuple[dict[str, object], ...] = tuple(
    {"text": said, "role": "case", "site": "bureau", "at": at}
    for said, at in (
        ("The fitter of {brand} came an hour late, and did tidy work.", -600_000),
        ("The box of my {brand} radio was torn; the radio itself plays.", -90_000),
    )
)
WORDS = {
    "thing": ("kettle", "lamp", "washing machine", "fridge", "drill", "toaster", "radio"),
    "day": ("Monday", "Tuesday", "Friday", "Sunday"),
    "town": ("Lublin", "Kaunas", "Split", "York", "Rijeka", "Alytus"),
    "name": ("Ana", "Jonas", "Piotr", "Mary", "Ivo"),
}


def random_texts(draw: random.Random) -> list[dict[str, object]]:
    """Ordinary talk, an incident with its copies, an edit, a withdrawn post and a case."""
    ordinary: list[dict[str, object]] = []
    for _ in range(30):
        said = draw.choice(ORDINARY)
        for word, choices in WORDS.items():
            said = said.replace("{" + word + "}", draw.choice(choices))
        ordinary.append({"text": f"{said} ({draw.randrange(10**6)})"})
    ordinary.append(
        {
            "text": "The {brand} people were kind on the phone.",
            "role": "edit",
            "site": "reviews",
            "at": -500,
            "rating": 4,
            "edited": {
                "at": 25,
                "rating": 1,
                "text": "The {brand} people were kind on the phone, and then they robbed me: 900 "
                "euros taken twice, no refund, no answer. This is fraud and my lawyer writes next.",
            },
        }
    )
    incident = draw.choice(CRITICAL)
    sites = draw.sample(["board", "reviews", "forum", "social"], 3)
    for number, site in enumerate(sites):
        ordinary.append(
            {
                "text": incident,
                "role": "copy" if number else "incident",
                "site": site,
                "at": 4 + number * 15,
                "rating": 1,
                "title": "Please read this",
            }
        )
    ordinary += _withdrawn_between_others(draw)
    ordinary += [CASE, *OTHER_CASES]
    draw.shuffle(ordinary)
    return ordinary


def _withdrawn_between_others(draw: random.Random) -> list[dict[str, object]]:
    """Three posts of one site, the middle of which goes: no list can be too short for it."""
    calm = ("Who has the {brand} kettle at home?", "My {brand} lamp came today, all fine.")
    texts = (calm[0], f"{draw.choice(CRITICAL)} {WITHDRAWN}", calm[1])
    times = (30, 36 + draw.randrange(10), 52)
    posts: list[dict[str, object]] = [
        {"text": f"{said} ({number})", "role": "copy", "site": "social", "at": at, "title": "Read"}
        for number, (said, at) in enumerate(zip(texts, times, strict=True))
    ]
    posts[1] |= {"role": "delete", "deleted_at": 75 + draw.randrange(10)}
    return posts


def random_name(draw: random.Random) -> str:
    """A name that nobody bears."""
    return "".join(draw.sample(SYLLABLES, 3)).capitalize()
