"""What a site's rules say about a post, decided when it is about to be sent.

Until then a rating may arrive, a play may be deleted and a rule be changed, so nothing is
decided earlier than it has to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchbook.publish.facts import Facts
from watchbook.publish.rules import Rules
from watchbook.store.outbox import PostState, Reason


@dataclass(frozen=True)
class Decision:
    """How a post stands by the rules: to be sent (waiting), held, or not wanted (withdrawn)."""

    state: PostState
    words: str | None = None
    reason: Reason | None = None


SEND = Decision(PostState.WAITING)


def decided(found: Sequence[Facts], rules: Rules, *, complete: bool) -> Decision:
    """What becomes of the post about ``found``, the plays that Trakt still shows.

    ``complete`` says whether the history was read whole, without which nobody knows what a
    first watch is.
    """
    if not found:
        return _dropped("The play was deleted at Trakt before it was published.")
    unwanted = _unwanted(found[0], rules)
    if unwanted is not None:
        return _dropped(unwanted)
    if rules.watches == "first" and not complete:
        return _held(Reason.FIRST, "Waits until the history was read whole.")
    if rules.watches == "first" and all(facts.times > 1 for facts in found):
        return _dropped("Watched before, and the site wants first watches only.")
    return _by_rating(found, rules)


def _unwanted(facts: Facts, rules: Rules) -> str | None:
    """The rule that keeps a play out, in words."""
    play = facts.play
    if play.type not in rules.types:
        return f"The site wants no {'films' if play.type == 'movie' else 'episodes'}."
    names = {name.casefold() for name in (play.show_title, play.show_slug) if name}
    if names and rules.only_shows and not names & _folded(rules.only_shows):
        return "The site wants other shows only."
    if names & _folded(rules.except_shows):
        return "The site does not want this show."
    genres = _folded(facts.genres)
    if rules.only_genres and not genres & _folded(rules.only_genres):
        return "The site wants other genres only."
    if genres & _folded(rules.except_genres):
        return "The site does not want this genre."
    return None


def _by_rating(found: Sequence[Facts], rules: Rules) -> Decision:
    wanted = rules.minimum_rating
    if wanted is None or any((facts.play.rating or 0) >= wanted for facts in found):
        return SEND
    rated = [facts.play.rating for facts in found if facts.play.rating]
    if rated:
        return _held(Reason.RATING, f"Rated {max(rated)}, and the site wants {wanted} or more.")
    return _held(Reason.RATING, f"Waits for a rating of {wanted} or more.")


def _folded(names: Sequence[str]) -> set[str]:
    return {name.casefold() for name in names}


def _dropped(words: str) -> Decision:
    return Decision(PostState.WITHDRAWN, words)


def _held(reason: Reason, words: str) -> Decision:
    return Decision(PostState.HELD, words, reason)
