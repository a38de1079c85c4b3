"""Invented members of Trakt, and a few names of the film world for lists."""

from __future__ import annotations

from random import Random

from watchbook.sandbox.library.titles import DAY, Person, User, slugify

_MEMBERS = (
    "Mira Tamm",
    "Jonas Ahlquist",
    "Chiara Benedetti-Rossi",
    "Owen Farrelly",
    "Aylin Şahin",
    "Tomás Quiroga",
    "Noor van Dijk",
    "Emeka Obiora",
    "Saoirse Kearney",
    "陳 美玲",
    "Дарья Ковальчук",
    "Hamid Rostami",
    "Ingrid Solbakken",
    "Paulo Teixeira",
    "Zsófia Halmos",
    "עדי ברנר",
    "Kwame Asante",
    "Lucie Marchetti",
    "Rafael Duarte",
    "Yuki Hoshino",
    "Anneli Rebane",
    "Bram Verhoeven",
    "سارة الخطيب",
    "Theo Lindqvist",
)
_OWNERS = ("Sam Example", "Robin Sample", "Alex Specimen", "Kim Muster", "Charlie Doe", "Jo Nobody")
_FILM_PEOPLE = (
    "Agnès Varda",
    "Akira Kurosawa",
    "Alfred Hitchcock",
    "Andrei Tarkovsky",
    "Billy Wilder",
    "Buster Keaton",
    "Federico Fellini",
    "Ida Lupino",
    "Katharine Hepburn",
    "Satyajit Ray",
    "Toshirō Mifune",
    "Youssef Chahine",
)
_PLACES = ("Aarhus", "Porto", "Leith", "Kraków", "Tromsø", None, None)
OWNER_IDS = 1_700_000
"""Where the numbers of the accounts' owners begin."""
ZONES = (
    ("Europe/Copenhagen", -60),
    ("America/New_York", 300),
    ("Europe/Lisbon", 0),
    ("Asia/Tokyo", -540),
    ("Australia/Sydney", -600),
    ("America/Sao_Paulo", 180),
    ("Asia/Kolkata", -330),
)
"""Time zones of the accounts in turn, and the minutes that lead from local time to UTC."""


def members(today: int) -> list[User]:
    """Everybody whom an account may follow, answer or block; the last one is deleted."""
    found = [_member(number, name, today) for number, name in enumerate(_MEMBERS)]
    gone = User(880_099, "deleted-user", "", None, deleted=True, joined=today - 3_000 * DAY)
    return [*found, gone]


def _member(number: int, name: str, today: int) -> User:
    trakt = 880_000 + number
    return User(
        trakt=trakt,
        username=slugify(name, f"member-{trakt}"),
        name=name,
        slug=slugify(name, f"member-{trakt}"),
        private=number % 7 == 3,
        vip=number % 5 == 0,
        joined=today - (400 + number * 117) * DAY,
        location=_PLACES[number % len(_PLACES)],
    )


def owner(index: int, seed: int, today: int, *, vip: bool) -> User:
    """The person whose library it is; the first of the first sandbox is Sam Example."""
    name = _OWNERS[index % len(_OWNERS)]
    number = index // len(_OWNERS) + 1
    slug = slugify(name, "") + (f"-{number}" if number > 1 else "")
    joined = today - Random(f"joined:{seed}:{index}").randint(3_000, 4_500) * DAY
    return User(
        trakt=OWNER_IDS + index,
        username=slug,
        name=name,
        slug=slug,
        vip=vip,
        joined=joined,
        location="Somewhere",
        about="Made up by the Watchbook sandbox. 🎬",
        age=40,
    )


def film_people() -> list[Person]:
    """People of the film world."""
    found = enumerate(_FILM_PEOPLE)
    return [Person(4_000 + n, name, slugify(name, f"person-{n}")) for n, name in found]
