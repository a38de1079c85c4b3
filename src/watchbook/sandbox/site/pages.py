"""The pages of a site that people look at: its front page, each person's, each post's."""

from __future__ import annotations

from html import escape

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.site import auth
from watchbook.sandbox.site.call import MICROPUB, Call
from watchbook.sandbox.site.entries import entry, title_of
from watchbook.sandbox.site.frame import STYLE_PATH, message, page, style
from watchbook.sandbox.site.posts import Post
from watchbook.sandbox.site.world import Person, World

_ON_A_PAGE = 50


def answer(call: Call) -> Answer:
    """Answer one request for a page."""
    path, world = call.request.path, call.world
    if call.request.method not in ("GET", "HEAD"):
        return message("That did not work", "Pages can be looked at, and no more.", 405)
    if path == STYLE_PATH:
        return style()
    person = next((one for one in world.people.values() if one.home == path), None)
    if person is not None:
        return _profile(call, person)
    if path == "/":
        return _everybody(call)
    return _post(call)


def _post(call: Call) -> Answer:
    post = call.world.post_at(f"{call.world.url}{call.request.path}")
    if post is not None and post.deleted:
        return message("Gone", "This post has been deleted.", 410)
    if post is None or _hidden(post):
        return message("Not found", "There is no such page.", 404)
    author = call.world.people[post.author]
    back = f'<p><a href="{escape(author.home)}">{escape(author.full_name)}</a></p>'
    body = f"{back}\n{entry(call.world, post, whole=True)}"
    return page(title_of(post), body, links=_links(call))


def _hidden(post: Post) -> bool:
    return post.text("post-status") == "draft" or post.text("visibility") == "private"


def _profile(call: Call, person: Person) -> Answer:
    body = f"{_card(call.world, person)}\n{_feed(call, person)}"
    links = [*_links(call), ("me", call.world.me(person))]
    return page(person.full_name, body, links=links, feed=True)


def _links(call: Call) -> list[tuple[str, str]]:
    """Where to sign in and where to post."""
    url, faults = call.world.url, call.fires("page").keys()
    found = [("indieauth-metadata", f"{url}{auth.METADATA}")]
    if "no-metadata" in faults:
        found.clear()
    found.append(("authorization_endpoint", f"{url}{auth.AUTHORIZE}"))
    found.append(("token_endpoint", f"{url}{auth.TOKEN}"))
    if "no-micropub" not in faults:
        found.append(("micropub", f"{url}{MICROPUB}"))
    return found


def _card(world: World, person: Person) -> str:
    me, name = escape(world.me(person)), escape(person.full_name)
    return (
        '<header class="who p-author h-card">\n'
        f'<span class="face" aria-hidden="true">{name[0]}</span>\n'
        f'<div><h1><a class="p-name u-url u-uid" rel="me" href="{me}">{name}</a></h1>\n'
        '<p class="p-note">What I watch, and sometimes why.</p></div>\n</header>'
    )


def _feed(call: Call, person: Person) -> str:
    shown = [post for post in call.world.posts_of(person.name) if _listed(post)]
    number = _page_number(call)
    posts = shown[(number - 1) * _ON_A_PAGE : number * _ON_A_PAGE]
    if not posts:
        me = escape(call.world.me(person))
        return (
            '<p class="soft">Nothing here yet. Watchbook posts here after '
            f"<code>watchbook site add {me}</code>.</p>"
        )
    turning = _turning(number, last=number * _ON_A_PAGE >= len(shown))
    return "\n".join([*(entry(call.world, post) for post in posts), *turning])


def _listed(post: Post) -> bool:
    return not _hidden(post) and post.text("visibility") != "unlisted"


def _page_number(call: Call) -> int:
    text = call.query.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _turning(number: int, *, last: bool) -> list[str]:
    """Links to the neighbouring pages of a long feed."""
    newer = f'<a rel="prev" href="?page={number - 1}">Newer</a>' if number > 1 else "<span></span>"
    older = "" if last else f'<a rel="next" href="?page={number + 1}">Older</a>'
    return [] if number == 1 and last else [f'<nav class="more">{newer}{older}</nav>']


def _everybody(call: Call) -> Answer:
    """The front page of a site that several people share."""
    cards = "\n".join(
        f'<article class="h-card"><h2><a class="p-name u-url" href="{escape(one.home)}">'
        f"{escape(one.full_name)}</a></h2></article>"
        for one in call.world.people.values()
    )
    return page("People", f"<h1>People</h1>\n{cards}", links=_links(call))
