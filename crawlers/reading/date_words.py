"""The words of dates in the languages that we read, folded (no marks, small letters)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def _split(words: str) -> list[str]:
    return words.split()


def _months(*rows: str) -> dict[str, int]:
    return {word: number for number, row in enumerate(rows, start=1) for word in row.split()}


# Each language by itself: "listopad" is November in Polish and October in Croatian.
MONTHS: Mapping[str, Mapping[str, int]] = {
    "en": _months(
        "january jan",
        "february feb",
        "march mar",
        "april apr",
        "may",
        "june jun",
        "july jul",
        "august aug",
        "september sept sep",
        "october oct",
        "november nov",
        "december dec",
    ),
    "pl": _months(
        "styczen stycznia sty",
        "luty lutego lut",
        "marzec marca mar",
        "kwiecien kwietnia kwi",
        "maj maja",
        "czerwiec czerwca cze",
        "lipiec lipca lip",
        "sierpien sierpnia sie",
        "wrzesien wrzesnia wrz",
        "pazdziernik pazdziernika paz",
        "listopad listopada lis",
        "grudzien grudnia gru",
    ),
    "lt": _months(
        "sausis sausio saus",
        "vasaris vasario vas",
        "kovas kovo kov",
        "balandis balandzio bal",
        "geguze geguzes geg",
        "birzelis birzelio birz",
        "liepa liepos liep",
        "rugpjutis rugpjucio rugp",
        "rugsejis rugsejo rugs",
        "spalis spalio spal",
        "lapkritis lapkricio lapkr",
        "gruodis gruodzio gruod",
    ),
    "hr": _months(
        "sijecanj sijecnja sij",
        "veljaca veljace velj",
        "ozujak ozujka ozu",
        "travanj travnja tra",
        "svibanj svibnja svi",
        "lipanj lipnja lip",
        "srpanj srpnja srp",
        "kolovoz kolovoza kol",
        "rujan rujna ruj",
        "listopad listopada lis",
        "studeni studenog studenoga stu",
        "prosinac prosinca pro",
    ),
    "de": _months(
        "januar janner jaenner jan",
        "februar feb",
        "marz maerz mrz",
        "april apr",
        "mai",
        "juni jun",
        "juli jul",
        "august aug",
        "september sept sep",
        "oktober okt",
        "november nov",
        "dezember dez",
    ),
}

ROMAN_MONTHS: Mapping[str, int] = {
    word: number
    for number, word in enumerate(_split("i ii iii iv v vi vii viii ix x xi xii"), start=1)
}

#: Words for days near now, and how many days ago they are.
DAYS_AGO: Mapping[str, int] = {
    **dict.fromkeys(_split("today dzisiaj dzis siandien danas heute"), 0),
    **dict.fromkeys(_split("yesterday wczoraj vakar jucer gestern"), 1),
    **dict.fromkeys(_split("przedwczoraj uzvakar prekjucer vorgestern"), 2),
}

JUST_NOW = frozenset(
    {"just now", "now", "moments ago", "a moment ago", "przed chwila", "teraz", "ka tik", "dabar"}
    | {"upravo sada", "upravo", "maloprije", "gerade eben", "soeben", "jetzt"}
)

SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = _split("second minute hour day week month year")


def _units(**rows: str) -> dict[str, str]:
    return {word: unit for unit, row in rows.items() for word in row.split()}


UNITS: Mapping[str, Mapping[str, str]] = {
    "en": _units(
        second="second seconds sec secs s",
        minute="minute minutes min mins m",
        hour="hour hours hr hrs h",
        day="day days d",
        week="week weeks wk wks w",
        month="month months mo mos",
        year="year years yr yrs y",
    ),
    "pl": _units(
        second="sekunde sekundy sekund sek",
        minute="minute minuty minut min",
        hour="godzine godziny godzin godz",
        day="dzien dni",
        week="tydzien tygodnie tygodni tyg",
        month="miesiac miesiace miesiecy mies",
        year="rok lata lat",
    ),
    "lt": _units(
        second="sekunde sekundes sekundziu sek",
        minute="minute minutes minuciu min",
        hour="valanda valandas valandu val",
        day="diena dienas dienu d",
        week="savaite savaites savaiciu sav",
        month="menesi menesius menesiu men",
        year="metus metu m",
    ),
    "hr": _units(
        second="sekundu sekunde sekundi sek",
        minute="minutu minute minuta min",
        hour="sat sata sati h",
        day="dan dana",
        week="tjedan tjedna tjedana",
        month="mjesec mjeseca mjeseci mj",
        year="godinu godine godina god",
    ),
    "de": _units(
        second="sekunde sekunden sek",
        minute="minute minuten min",
        hour="stunde stunden std",
        day="tag tagen tage",
        week="woche wochen",
        month="monat monaten monate",
        year="jahr jahren jahre",
    ),
}

#: How each language says "N units ago": a pattern for the rest of the text, count then unit.
AGO: Sequence[tuple[str, str]] = (
    ("en", r"(?:(?:about|over|almost|nearly) )?(?P<count>\d+|[a-z]+) (?P<unit>[a-z]+) ago"),
    ("en", r"(?P<count>\d+) ?(?P<unit>s|sec|m|min|h|hr|d|w|mo|y)"),
    ("pl", r"(?:(?:ok\.|okolo) )?(?:(?P<count>\d+|[a-z]+) )?(?P<unit>[a-z]+)\.? temu"),
    ("lt", r"pries (?:(?P<count>\d+|[a-z]+) )?(?P<unit>[a-z]+)\.?"),
    ("hr", r"prije (?P<count>)(?P<unit>[a-z]+) (?:dana|vremena)"),  # "an hour of time"
    ("hr", r"prije (?:(?P<count>\d+|[a-z]+) )?(?P<unit>[a-z]+)\.?"),
    ("de", r"vor (?P<count>\d+|[a-z]+) (?P<unit>[a-z]+)\.?"),
)

_NUMBERS = _split("one two three four five six seven eight nine ten eleven twelve")
COUNTS: Mapping[str, float] = {
    **{word: number for number, word in enumerate(_NUMBERS, start=1)},
    **dict.fromkeys(_split("a an ein einem einer einen jeden jedna jedan jednu"), 1),
    **dict.fromkeys(_split("half pol pola puse"), 0.5),
    **dict.fromkeys(_split("couple dwie dwa dvije dva du dvi zwei"), 2),
}

#: Units with a count inside them.
WHOLE_UNITS: Mapping[str, tuple[float, str]] = {
    "kwadrans": (15, MINUTE),
    "polroku": (6, MONTH),
    "pusvalandi": (30, MINUTE),
}

#: Hours ahead of UTC; the American ones are fixed by RFC 822.
ZONES: Mapping[str, float] = {
    **dict.fromkeys(_split("z ut utc gmt wet"), 0),
    **dict.fromkeys(_split("cet bst west"), 1),
    **dict.fromkeys(_split("cest eet"), 2),
    **dict.fromkeys(_split("eest msk"), 3),
    **dict.fromkeys(_split("edt"), -4),
    **dict.fromkeys(_split("est cdt"), -5),
    **dict.fromkeys(_split("cst mdt"), -6),
    **dict.fromkeys(_split("mst pdt"), -7),
    **dict.fromkeys(_split("pst"), -8),
}
