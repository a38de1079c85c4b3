"""The few pages of the sandbox for people: who it is, a PIN, the activation form."""

from __future__ import annotations

from html import escape

from watchbook.sandbox.answer import HTML_TYPE, Answer
from watchbook.sandbox.trakt.world import World

_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title} · Trakt sandbox</title>
<style>
:root {{ color-scheme: light dark; --ink: #1c1b22; --paper: #faf8f5; --card: #fff; --edge: #e4dfd7;
  --mark: #9d174d; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #ece9e4; --paper: #17161a; --card: #211f26; --edge: #37343d;
    --mark: #f9a8d4; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif; }}
main {{ max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem; }}
h1 {{ font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }}
h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem; }}
a {{ color: var(--mark); }}
pre, .pin {{ background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
  padding: .9rem 1rem; overflow-wrap: anywhere;
  white-space: pre-wrap; }}
.pin {{ font: 600 1.3rem ui-monospace, monospace; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem;
  margin: 1.5rem 0; }}
dl div {{ background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
  padding: .75rem 1rem; }}
dt {{ font-size: .85rem; opacity: .75; }}
dd {{ margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }}
input, button {{ font: inherit; padding: .55rem .8rem; border-radius: .5rem;
  border: 1px solid var(--edge); background: var(--card); color: inherit; }}
button {{ margin-top: .75rem; background: var(--mark); color: var(--paper); border: 0;
  cursor: pointer; }}
</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def _page(title: str, body: str, status: int = 200) -> Answer:
    text = _FRAME.format(title=escape(title), body=body)
    return Answer(status, text.encode(), [HTML_TYPE, (b"cache-control", b"no-store")])


def message(title: str, text: str, status: int = 200) -> Answer:
    """A page that says one thing."""
    return _page(title, f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>", status)


def problem(text: str, status: int) -> Answer:
    """A page that says what is wrong."""
    return message("That did not work", text, status)


def pin(code: str) -> Answer:
    """The page that shows a code to be copied by hand."""
    text = "<h1>Your PIN</h1>\n<p>Paste it where you were asked for it.</p>\n"
    body = f'{text}<p class="pin" id="pin">{code}</p>'
    return _page("Your PIN", body)


def activate() -> Answer:
    """The page where a device's code is typed in."""
    form = (
        "<h1>Connect a device</h1>\n"
        "<p>Type the code that the device shows. In the sandbox everything is approved.</p>\n"
        '<form method="post" action="/activate">\n'
        '<label for="code">Code</label>\n'
        '<input id="code" name="code" autocomplete="off" autocapitalize="characters" required>\n'
        "<button>Connect</button>\n</form>"
    )
    return _page("Connect a device", form)


def home(world: World) -> Answer:
    """The front page: who this is, what is in it, how to use it."""
    account = world.account(world.slugs[0])
    name = escape(account.library.user.name)
    counts = {
        "Plays": len(account.history.plays),
        "Films": len(account.history.films()),
        "Shows": len(account.history.shows()),
        "Ratings": sum(map(len, account.library.ratings.values())),
        "Lists": len(account.library.lists),
        "Accounts": len(world.slugs),
    }
    boxes = "\n".join(f"<div><dt>{k}</dt><dd>{v:,}</dd></div>" for k, v in counts.items())
    faults = ", ".join(escape(rule.name) for rule in world.faults.rules) or "none"
    settings = (
        "export WATCHBOOK_HOME=$(mktemp -d)\n"  # nobody's real installation signs in here
        f"export WATCHBOOK_TRAKT_API_URL={world.url}\n"
        f"export WATCHBOOK_TRAKT_AUTH_URL={world.auth_url}\n"
        f"export WATCHBOOK_TRAKT_CLIENT_ID={world.client_id}\n"
        f"export WATCHBOOK_TRAKT_CLIENT_SECRET={world.client_secret}\n"
        "watchbook connect\nwatchbook sync"
    )
    body = (
        "<h1>Trakt, pretended</h1>\n"
        "<p>This is a stand-in for Trakt on your own machine. Its library is made up, from the\n"
        "first film to the last friend.\n"
        f"The first account belongs to <strong>{name}</strong>.</p>\n"
        f"<dl>\n{boxes}\n</dl>\n"
        f"<h2>Point Watchbook at it</h2>\n<pre>{escape(settings)}</pre>\n"
        f"<h2>Faults in force</h2>\n<p>{faults}</p>"
    )
    return _page("Welcome", body)
