"""The page that asks whether an app may be let in."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.site.frame import message, page
from watchbook.sandbox.site.world import World


def ask(world: World, asked: Mapping[str, str], action: str) -> Answer:
    """Ask; the buttons post who says yes, or nobody, together with what was asked."""
    scopes = asked.get("scope", "").split()
    wish = ", ".join(map(escape, scopes)) or "to know who you are, and no more"
    yes = "\n".join(
        f'<button name="answer" value="{name}">Yes, as {escape(person.full_name)}</button>'
        for name, person in world.people.items()
    )
    body = (
        f"<h1>Let this app in?</h1>\n<p><code>{escape(asked['client_id'])}</code> asks for: "
        f"{wish}.</p>\n"
        f'<p class="soft">You will be sent to <code>{escape(asked["redirect_uri"])}</code>.</p>\n'
        f'<form method="post" action="{action}">\n'
        f'<input type="hidden" name="asked" value="{escape(urlencode(asked))}">\n{yes}\n'
        '<button class="no" name="answer" value="">No</button>\n</form>'
    )
    return page("Let this app in?", body)


def problem(text: str) -> Answer:
    """A page that says why nobody is sent anywhere."""
    return message("That did not work", text, 400)
