"""The invented brand and its rival, with the forms that Polish, Lithuanian and Croatian need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.fold import fold

Forms = Mapping[str, Mapping[str, str]]  #: language → case → form

# "{brand}", "{rival.gen}"; any other brace in a text is the author's own.
_PLACEHOLDER = re.compile(r"\{(brand|rival)(?:\.(gen|dat|acc|ins|loc|voc))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name with its inflected forms; a form that is not known is the name itself."""

    nominative: str
    forms: Forms = field(default_factory=dict)

    def form(self, language: str, case: str | None) -> str:
        """The name as a sentence of ``language`` needs it in ``case``."""
        return self.forms.get(language, {}).get(case or "", self.nominative)

    @property
    def aliases(self) -> list[str]:
        """Every form that differs from the name, sorted, once."""
        forms = {form for cases in self.forms.values() for form in cases.values()}
        return sorted(forms - {self.nominative})

    @property
    def slug(self) -> str:
        """The name in an address: ASCII letters, digits and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", fold(self.nominative)).strip("-") or "brand"

    @property
    def domain(self) -> str:
        """The invented web address of the firm."""
        return f"{self.slug}.example"

    @property
    def search_word(self) -> str:
        """What all forms begin with: a search by word beginnings finds every form by it."""
        common = self.nominative
        while not all(form.startswith(common) for form in self.aliases):
            common = common[:-1]
        return common.strip()


BRAND = Name(
    nominative="Vaskelda",
    forms={
        "pl": {
            "gen": "Vaskeldy",
            "dat": "Vaskeldzie",
            "acc": "Vaskeldę",
            "ins": "Vaskeldą",
            "loc": "Vaskeldzie",
            "voc": "Vaskeldo",
        },
        "lt": {
            "gen": "Vaskeldos",
            "dat": "Vaskeldai",
            "acc": "Vaskeldą",
            "ins": "Vaskelda",
            "loc": "Vaskeldoje",
            "voc": "Vaskelda",
        },
        "hr": {
            "gen": "Vaskelde",
            "dat": "Vaskeldi",
            "acc": "Vaskeldu",
            "ins": "Vaskeldom",
            "loc": "Vaskeldi",
            "voc": "Vaskeldo",
        },
    },
)
RIVAL = Name(
    nominative="Ostvena",
    forms={
        "pl": {
            "gen": "Ostveny",
            "dat": "Ostvenie",
            "acc": "Ostvenę",
            "ins": "Ostveną",
            "loc": "Ostvenie",
            "voc": "Ostveno",
        },
        "lt": {
            "gen": "Ostvenos",
            "dat": "Ostvenai",
            "acc": "Ostveną",
            "ins": "Ostvena",
            "loc": "Ostvenoje",
            "voc": "Ostvena",
        },
        "hr": {
            "gen": "Ostvene",
            "dat": "Ostveni",
            "acc": "Ostvenu",
            "ins": "Ostvenom",
            "loc": "Ostveni",
            "voc": "Ostveno",
        },
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Who the demo is about."""

    brand: Name = BRAND
    rival: Name = RIVAL

    @classmethod
    def given(cls, brand: str | None, rival: str | None) -> Names:
        """Our own names, or the given ones, which are used uninflected."""
        return cls(
            brand=Name(nominative=brand) if brand else BRAND,
            rival=Name(nominative=rival) if rival else RIVAL,
        )

    def fill(self, text: str, *, language: str) -> str:
        """Put the names into the placeholders of ``text``."""

        def form(match: re.Match[str]) -> str:
            name = self.brand if match[1] == "brand" else self.rival
            return name.form(language, match[2])

        return _PLACEHOLDER.sub(form, text)
