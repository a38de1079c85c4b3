"""Somebody's page elsewhere, as the demo serves it: all that Watchbook shows, and a button.

The button makes the invented person watch something. Nobody tells Watchbook: it learns of it when
it asks the next time, and the page follows.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.applications import Starlette

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Somebody's portfolio</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<link rel="alternate" type="application/atom+xml" title="Watched by {name}"
  href="{book}/feeds/plays.atom">
<script type="module" src="{book}/widget.js"></script>
<script type="module" src="/live.js"></script>
</head>
<body>
<main>
<h1>Somebody's portfolio</h1>
<p>This page lies at another address than Watchbook does, as yours would. All of it is live.</p>
<form method="post" action="/watch">
<button>Watch something</button>
<p role="status">The button lets {name} watch something, at the stand-in for Trakt. Watchbook asks
there once a minute.</p>
</form>
<h2>A line</h2>
<watchbook-last layout="line"></watchbook-last>
<h2>A card</h2>
<watchbook-last layout="card"></watchbook-last>
<h2>Pictures, for places that take nothing else</h2>
<p><img src="{book}/card/last.svg" alt="The last watch, as a picture"></p>
<p>{heatmap}</p>
<p>{year}</p>
<h2>A wall</h2>
<watchbook-last layout="wall"></watchbook-last>
<h2>And more</h2>
<ul>
<li><a href="{book}/@{name}">The public page of {name}</a></li>
<li>Feeds: <a href="{book}/feeds/plays.atom">Atom</a>, <a href="{book}/feeds/plays.rss">RSS</a>,
<a href="{book}/feeds/plays.json">JSON</a>, <a href="{book}/feeds/calendar.ics">a calendar</a></li>
<li><a href="{book}/api/docs">The API</a></li>
</ul>
</main>
</body>
</html>
"""
_STYLE = """:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#fff, #15161a); color: light-dark(#1b1d22, #f2f2ef); }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { line-height: 1.2; }
h2 { font-size: 1rem; margin: 2rem 0 0.5rem; }
a { color: light-dark(#97271a, #ff9f8a); }
img { display: block; max-width: 100%; height: auto; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin: 1.5rem 0; }
form p { flex: 1 1 18rem; margin: 0; font-size: 0.875rem; }
button { font: inherit; padding: 0.5rem 1.1rem; border: 0; border-radius: 99px; cursor: pointer;
  background: light-dark(#97271a, #ff9f8a); color: light-dark(#fff, #15161a); }
"""
_SCRIPT = """const form = document.querySelector("form");
const said = form.querySelector("[role=status]");
const widgets = [...document.querySelectorAll("watchbook-last")];
let shown = "";
let watched = "";
let asking;

const ask = () => widgets.forEach((one) => one.refresh());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/watch", { method: "POST" });
  said.textContent = answer.ok
    ? "Watched. Watchbook asks once a minute, and this page follows by itself."
    : "The stand-in for Trakt does not answer.";
  asking ??= setInterval(ask, 3000);
});

addEventListener("watchbook:loaded", ({ target, detail: { data } }) => {
  if (target !== widgets[0] || !data.ok) return;
  const moment = `${data.watched_at} ${data.title} ${data.subtitle}`;
  const all = `${moment} ${data.poster}`;
  if (watched && moment !== watched) {
    said.textContent = `Here it is: ${data.title}, ${data.subtitle}.`;
    // Its poster is still being fetched.
    setTimeout(() => (asking = clearInterval(asking)), 60000);
    ask();
  }
  // The first who asks after a change gets the picture that was there, the next one the new.
  if (shown && all !== shown) [0, 3000].forEach((wait) => setTimeout(draw, wait));
  watched = moment;
  shown = all;
});

function draw() {
  for (const one of document.querySelectorAll("main img, main source")) {
    const name = one.srcset ? "srcset" : "src";
    const address = new URL(one[name]);
    address.searchParams.set("at", Date.now());
    one[name] = address;
  }
}
"""
_NARROW = 358
"""Pixels that a phone has for a picture here."""


def portfolio(book: str, name: str, watch: Callable[[], list[dict[str, Any]]]) -> Starlette:
    """The page that shows what ``name`` watches, from ``book``; its button calls ``watch``."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, RedirectResponse, Response
    from starlette.routing import Route

    page = _PAGE.format(
        book=book,
        name=escape(name),
        heatmap=_picture(f"{book}/card/heatmap.svg", "A year of watching, day by day"),
        year=_picture(f"{book}/card/year.svg", "A year of watching in numbers"),
    )
    files = {
        "/": (page, "text/html"),
        "/style.css": (_STYLE, "text/css"),
        "/live.js": (_SCRIPT, "text/javascript"),
    }

    def read(request: Request) -> Response:
        text, media_type = files[request.url.path]
        return Response(text, media_type=media_type)

    def watched(request: Request) -> Response:
        """A form gets the page again; a program, which asks for no page, a line of text."""
        (play,) = watch()
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/", 303)
        return PlainTextResponse(f"Watched: {play['title']}. It shows within a minute.\n")

    return Starlette(
        routes=[*(Route(path, read) for path in files), Route("/watch", watched, methods=["POST"])]
    )


def _picture(address: str, about: str) -> str:
    """A card as it is, and drawn for it where there is less room."""
    return (
        f'<picture><source media="(max-width: 40rem)" srcset="{address}?width={_NARROW}">'
        f'<img src="{address}" alt="{about}"></picture>'
    )
