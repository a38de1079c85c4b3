"""The ASGI application: TMDB's data, TMDB's pictures, Trakt's pictures, and control routes."""

from __future__ import annotations

import re
from asyncio import Event
from collections.abc import Callable
from typing import Any

from watchbook.sandbox.answer import HTML_TYPE, Answer, Headers, as_json
from watchbook.sandbox.app import App, Request
from watchbook.sandbox.control import Data, Routes
from watchbook.sandbox.record import Asked
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.tmdb import drawing
from watchbook.sandbox.tmdb.world import FILMS, SHOWS, Subject, World

_MOVIE = re.compile(r"/3/movie/(\d{1,9})")
_TV = re.compile(r"/3/tv/(\d{1,9})(?:/season/(\d{1,4})(?:/episode/(\d{1,5}))?)?")
_PICTURE = re.compile(r"/t/p/(w\d+|original)/([a-z]+(?:-\d+)+)-([a-z]{2})-v(\d+)\.jpg")
_TRAKTS = re.compile(r"/images/(movies|shows)/(\d{6})/(\d{3})/posters/[a-z]+/[0-9a-f]+\.jpg\.webp")
_SIZES = {
    "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
    "backdrop_sizes": ["w300", "w780", "w1280", "original"],
    "still_sizes": ["w92", "w185", "w300", "original"],
    "profile_sizes": ["w45", "w185", "h632", "original"],
    "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
}
_WORDS = {
    401: (7, "Invalid API key: You must be granted a valid key."),
    403: (45, "This user has been suspended."),
    404: (34, "The resource you requested could not be found."),
    429: (25, "Your request count is over the allowed limit."),
    500: (11, "Internal error: Something went wrong, contact TMDB."),
    502: (43, "Couldn't connect to the backend server."),
    503: (9, "Service offline: This service is temporarily offline, try again later."),
}
ROUTES = Routes[World]()


@ROUTES.on("POST", "artwork")
def _new_artwork(world: World, _: Data) -> object:
    """Draw every picture anew, under another path."""
    world.edition += 1
    return {"edition": world.edition}


class TmdbApp(App):
    """Answers every request."""

    def __init__(self, world: World, stopping: Event) -> None:
        """Serve a world until told to stop."""
        super().__init__(world, stopping)
        self.world = world

    def control(self, request: Request) -> Answer:
        """The answer to a request for a control route."""
        route = f"{request.method} {request.path}"
        return ROUTES.answer(self.world, request.client, route, request.query, request.body)

    def reply(self, request: Request) -> tuple[Answer, list[Rule]]:
        """The answer to any other request, and the faults of the connection that strike it."""
        faults = self.world.faults
        answer = next(map(_fault, faults.firing(request.path, "answer")), None)
        if answer is None:
            answer = self._answer(request)
        wire = faults.firing(request.path, "wire")
        query = "&".join(
            part for part in request.query_string.split("&") if not part.startswith("api_key=")
        )
        struck = faults.take_struck()
        asked = Asked(request.method, request.path, query, answer.status, None, struck)
        self.world.record.note(asked)
        return answer, wire

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/3/"):
            return self._data(request) if self._knows(request) else _refused(401)
        faults = self.world.faults.firing(request.path, "picture")
        if request.path == "/":
            return _page(self.world)
        found = self._picture(request.path)
        return _spoilt(faults[0], found) if faults else found

    def _knows(self, request: Request) -> bool:
        """Whether a v3 key or a v4 token came with the request."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer == self.world.token or request.query.get("api_key") == self.world.key

    def _data(self, request: Request) -> Answer:
        if request.path == "/3/configuration":
            return as_json({"images": {"secure_base_url": f"{self.world.url}/t/p/", **_SIZES}})
        subject = self._subject(request.path)
        if subject is None:
            return _refused(404)
        faults = {rule.name for rule in self.world.faults.firing(request.path, "data")}
        return as_json(_facts(subject, request, self.world.edition, faults))

    def _subject(self, path: str) -> Subject | None:
        if found := _MOVIE.fullmatch(path):
            return self.world.film(int(found[1]))
        if found := _TV.fullmatch(path):
            return self.world.show(*(int(part) for part in found.groups() if part is not None))
        return None

    def _picture(self, path: str) -> Answer:
        if found := _PICTURE.fullmatch(path):
            subject = self.world.named(found[2])
            if subject is not None and int(found[4]) == self.world.edition:
                still = subject.episode is not None
                whole = (drawing.STILL if still else drawing.POSTER)[0]
                width = whole if found[1] == "original" else int(found[1][1:])
                body = drawing.drawn(subject, found[3], self.world.edition, width, "jpeg")
                return Answer(200, body, [(b"content-type", b"image/jpeg")])
        if found := _TRAKTS.fullmatch(path):
            number = int(found[2] + found[3])
            films = found[1] == "movies"
            subject = self.world.film(number + FILMS) if films else self.world.show(number + SHOWS)
            if subject is not None:
                body = drawing.drawn(subject, "tk", self.world.edition, 600, "webp")
                return Answer(200, body, [(b"content-type", b"image/webp")])
        return _refused(404)


def _facts(subject: Subject, request: Request, edition: int, faults: set[str]) -> dict[str, Any]:
    """A title as TMDB tells it, with its pictures when they are asked for, too."""
    kind = "still" if subject.episode is not None else "poster"
    language = request.query.get("language", "en-US")[:2]
    wanted = request.query.get("include_image_language", language).split(",")
    there = [] if "no-picture" in faults else _languages(subject)
    paths = {one: f"/{subject.name}-{one}-v{edition}.jpg" for one in there}
    if "odd-path" in faults:
        paths = dict.fromkeys(paths, "/../../etc/passwd")
    own = paths.get(language) or next(iter(paths.values()), None)
    facts: dict[str, Any] = {
        "id": subject.number,
        "name": subject.title,
        "original_language": subject.language,
        f"{kind}_path": own,
    }
    asked = request.query.get("append_to_response", "").split(",")
    if "images" in asked and "text-only" not in faults:
        wide, high = drawing.STILL if kind == "still" else drawing.POSTER
        facts["images"] = {
            f"{kind}s": [
                {
                    "file_path": path,
                    "iso_639_1": None if one == "xx" else one,
                    "width": wide,
                    "height": high,
                    "aspect_ratio": round(wide / high, 3),
                    "vote_average": 5.3,
                    "vote_count": 3,
                }
                for one, path in paths.items()
                if ("null" if one == "xx" else one) in wanted
            ]
        }
    return facts


def _languages(subject: Subject) -> list[str]:
    """In which languages there are pictures; stills have no words in them."""
    if subject.episode is not None:
        return ["xx"]
    own = [] if subject.number % 7 == 0 else ["de"]
    return list(dict.fromkeys(["en", *own, subject.language, "xx"]))


def _fault(rule: Rule) -> Answer:
    """What a rule answers in place of the right thing."""
    if rule.name == "html-200":
        return Answer(200, b"<!DOCTYPE html><title>Welcome to our Wi-Fi</title>", [HTML_TYPE])
    if rule.name == "empty-200":
        return Answer(200, b"", [(b"content-type", b"application/json")])
    if rule.name == "list-200":
        return as_json([{"poster_path": 7}])
    wait: Headers = [(b"retry-after", rule.value.encode())] if rule.value else []
    return _refused(int(rule.name.split("-")[1]), wait)


def _refused(status: int, headers: Headers | None = None) -> Answer:
    code, words = _WORDS[status]
    told = {"success": False, "status_code": code, "status_message": words}
    return as_json(told, status, headers)


def _spoilt(rule: Rule, right: Answer) -> Answer:
    """A picture with something wrong about it."""
    jpeg: Headers = [(b"content-type", b"image/jpeg")]
    png: Headers = [(b"content-type", b"image/png")]
    if rule.name == "picture-gone":
        return _refused(404)
    bodies: dict[str, tuple[Callable[[], bytes], Headers]] = {
        "picture-broken": (lambda: right.body[: len(right.body) // 2], right.headers),
        "picture-fake": (lambda: b"This is not a picture. " * 40, jpeg),
        "picture-type": (lambda: right.body, [HTML_TYPE]),
        "picture-huge": (drawing.huge, png),
        "picture-dot": (drawing.dot, png),
        "picture-heavy": (lambda: right.body + b"\0" * int(rule.number() * 2**20), jpeg),
    }
    make, headers = bodies[rule.name]
    return Answer(200, make(), headers)


def _page(world: World) -> Answer:
    """A page for whoever looks in: a few posters."""
    films = [world.film(film.trakt + FILMS) for film in world.catalogue.films[:24]]
    shown = "".join(
        f'<img width="154" alt="" src="/t/p/w154/{film.name}-en-v{world.edition}.jpg">\n'
        for film in films
        if film is not None
    )
    head = "<!DOCTYPE html>\n<title>A stand-in for TMDB</title>\n"
    return Answer(200, f"{head}<h1>A stand-in for TMDB</h1>\n{shown}".encode(), [HTML_TYPE])
