"""Titles that nobody made: what fills a large library once the real ones are used up."""

from __future__ import annotations

from random import Random

_ADJECTIVES = (
    "Quiet Silver Burning Crooked Distant Electric Final Frozen Gentle Golden Hidden Hollow Broken "
    "Invisible Last Little Long Lost Midnight Paper Perfect Pale Restless Second Secret Small "
    "Strange Sudden Summer Velvet Winter Wooden Yellow Northern Western Unfinished Borrowed"
).split()
_NOUNS = (
    "Harbour Lantern Orchard Signal Bridge Winter River Letter Garden Mirror Station Island Engine "
    "Archive Ferry Witness Shepherd Compass Neighbour Lighthouse Machine Promise Kitchen Piano "
    "Frontier Meridian Horizon Cartographer Beekeeper Translator Understudy Locksmith Clockmaker"
).split()
_PLACES = (
    "Aarhus Bergen Brno Cádiz Cork Dakar Essaouira Gdańsk Ghent Graz Hobart Kraków Leith Lisbon "
    "Lyon Mombasa Montréal Nara Oaxaca Porto Québec Riga Split Tbilisi Tromsø Trieste Valparaíso"
).split()
_NAMES = (
    "Ada Bruno Clara Dmitri Elif Farah Goran Hana Ilse Jonas Kofi Leila Mateo Nadia Otto Priya "
    "Ronja Søren Tomoko Ulla Vikram Wanda Xiulan Yara Zoltán"
).split()
_UNUSUAL = (
    "🚀 Night Shift",
    "ليل المدينة",
    "הגשר האחרון",
    "夜の灯台",
    "마지막 정거장",
    "Тихая гавань",
    "Το τελευταίο φως",
    "💔 & Other Weather",
    "A/B",
    "«Ça va ?»",
    "1=1",
    "Ein ganz normaler Dienstag, an dem eigentlich überhaupt nichts geschah",
)

_FILM_SHAPES = (
    "The {adj} {noun}",
    "{adj} {noun}",
    "{noun} of {place}",
    "{name} and the {noun}",
    "A {noun} in {place}",
    "The {noun}'s {noun2}",
    "{place}, {year}",
    "Goodbye, {name}",
    "The {adj} {noun} of {name}",
)
_SHOW_SHAPES = (
    "{place} {noun}",
    "The {noun}s of {place}",
    "{name} & {name2}",
    "{adj} {place}",
    "Inspector {name}",
    "The {adj} {noun}",
    "{noun} Street",
    "{place} General",
)
_EPISODE_SHAPES = (
    "The {adj} {noun}",
    "{noun}",
    "{name}",
    "{adj} {noun}",
    "Back to {place}",
    "{noun} and {noun2}",
    "What {name} Saw",
    "{place}",
)
_GENRES = "drama comedy crime thriller romance mystery adventure fantasy documentary war".split()
_ORIGINS = (
    "us en",
    "gb en",
    "us en",
    "fr fr",
    "de de",
    "kr ko",
    "es es",
    "in hi",
    "jp ja",
    "ca en",
)
_NETWORKS = "Netflix,HBO,BBC One,Arte,Prime Video,NBC,Canal+,ZDF,Apple TV+,Channel 4".split(",")


class Inventor:
    """Makes up titles from a seed; the same seed makes the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        """Start from a seed."""
        self._random = Random(f"invention:{seed}")
        self._used: set[tuple[str, int]] = set()

    def film(self, now_year: int) -> list[str]:
        """One invented film, as a line of the list of real ones would be split."""
        chance = self._random
        year = now_year - int(chance.expovariate(1 / 14)) % 90
        title = self._title(_FILM_SHAPES, year)
        country, language = chance.choice(_ORIGINS).split()
        rating = chance.choice(("PG", "PG-13", "R", "NR"))
        runtime = str(chance.randint(82, 158))
        return [title, str(year), runtime, self._genres(), country, language, rating]

    def show(self, now_year: int, longest: int) -> list[str]:
        """One invented show of at most `longest` seasons."""
        chance = self._random
        year = now_year - 1 - int(chance.expovariate(1 / 9)) % 50
        title = self._title(_SHOW_SHAPES, year)
        country, language = chance.choice(_ORIGINS).split()
        runtime = chance.choice((22, 25, 30, 42, 45, 52, 58))
        counts = self._seasons(min(longest, now_year - year + 1), runtime)
        status = "returning" if chance.random() < 0.15 else "ended"
        network = chance.choice(_NETWORKS)
        head = [title, str(year), str(runtime), self._genres(), country, language]
        return [*head, network, counts, status]

    def _seasons(self, longest: int, runtime: int) -> str:
        chance = self._random
        usual = chance.choice((6, 8, 10, 13, 22, 24) if runtime < 50 else (6, 8, 8, 10, 13))
        counts = [str(usual + chance.randint(-1, 2)) for _ in range(chance.randint(1, longest))]
        specials = [f"s{chance.randint(1, 6)}"] if chance.random() < 0.2 else []
        return ",".join(specials + counts)

    def _genres(self) -> str:
        return ",".join(self._random.sample(_GENRES, self._random.randint(1, 3)))

    def _title(self, shapes: tuple[str, ...], year: int) -> str:
        unusual = self._random.random() < 0.02
        while True:
            if unusual:
                title = self._random.choice(_UNUSUAL)
            else:
                title = self._random.choice(shapes).format(**words(self._random), year=year)
            if (title, year) not in self._used:
                self._used.add((title, year))
                return title
            unusual = False


def words(chance: Random) -> dict[str, str]:
    """A handful of words to fill a shape with."""
    pick = chance.choice
    return {
        "adj": pick(_ADJECTIVES),
        "noun": pick(_NOUNS),
        "noun2": pick(_NOUNS),
        "place": pick(_PLACES),
        "name": pick(_NAMES),
        "name2": pick(_NAMES),
    }


def episode_title(number: int) -> str | None:
    """A title for an episode, from a scattered number; none for one in ninety."""
    if number % 90 == 0:
        return None
    shape = _EPISODE_SHAPES[number // 90 % len(_EPISODE_SHAPES)]
    return shape.format(
        adj=_ADJECTIVES[number // 997 % len(_ADJECTIVES)],
        noun=_NOUNS[number // 49_999 % len(_NOUNS)],
        noun2=_NOUNS[number // 1_999_993 % len(_NOUNS)],
        place=_PLACES[number // 31_337 % len(_PLACES)],
        name=_NAMES[number // 7_919 % len(_NAMES)],
    )
