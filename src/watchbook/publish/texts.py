"""The text of a post, from a template that its owner wrote.

Templates are Jinja's, in a small part of the language: variables, a few filters, conditions and
one loop over what is given. Nothing in it can compute for long or write without end, so a
template needs no clock to be safe: its time is bounded by its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

FILM_TEXT = "Watched {{ name }}"
EPISODE_TEXT = "Watched {{ name }}"
BINGE_TEXT = "Watched {{ count }} episodes of {{ name }}: {{ first.code }} to {{ last.code }}"

LONGEST_TEMPLATE = 2_000
LONGEST_TEXT = 5_000
LONGEST_WORD = 500
MOST_EPISODES = 200
_FILTERS = frozenset(
    "capitalize d default first int join last length lower round title trim trunc upper".split()
)
_ATTRIBUTES = frozenset("code season episode title index first last length".split())
"""Of an episode, and of Jinja's ``loop``."""

_NODES = (
    nodes.And,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Const,
    nodes.Filter,
    nodes.For,
    nodes.Getattr,
    nodes.If,
    nodes.Keyword,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.Template,
    nodes.TemplateData,
)


@dataclass(frozen=True)
class EpisodeWords:
    """What a binge's template may say of each episode; ``code`` is ``S02E07``."""

    code: str
    season: int | None
    episode: int | None
    title: str


@dataclass(frozen=True)
class Words:
    """What a template may say; empty where it is not known.

    ``name`` says the whole title, as a link where the text is HTML: ``Heat (1995)``, ``The Wire
    S02E07: Backwash``, of a binge the show. ``rating`` is 1 to 10, ``watched`` the local date,
    ``times`` which watch of the title this is.
    """

    name: str
    title: str
    url: str = ""
    show: str = ""
    code: str = ""
    season: int | None = None
    episode: int | None = None
    year: int | None = None
    rating: int | None = None
    note: str = ""
    times: int = 1
    runtime: int | None = None
    watched: str = ""
    genres: Sequence[str] = ()
    episodes: Sequence[EpisodeWords] = ()

    @property
    def for_template(self) -> dict[str, Any]:
        """The variables of the template."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        known = {name: _short(value) for name, value in known.items()}
        few = list(self.episodes[:MOST_EPISODES])
        blank = EpisodeWords("", None, None, "")
        return known | {
            "count": len(self.episodes),
            "episodes": few,
            "first": few[0] if few else blank,
            "last": self.episodes[-1] if few else blank,
            "rewatch": self.times > 1,
        }


_EXAMPLES = (
    Words("Heat (1995)", "Heat", episodes=[EpisodeWords("S01E01", 1, 1, "Pilot")]),
    Words(
        "Heat (1995)", "Heat", "https://example.org/", "The Wire", "S02E07", 2, 7, 1995, 8, "Good"
    ),
)


def template(text: str) -> str:
    """Check a template and give it back; raises ValueError saying what is wrong with it."""
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"is longer than {LONGEST_TEMPLATE:,} characters")
    for example in _EXAMPLES:
        rendered(text, example, html=False)
    return text


def rendered(text: str, words: Words, *, html: bool) -> str:
    """What the template ``text`` makes of ``words``, at most LONGEST_TEXT characters.

    As HTML everything that is not the template's own is escaped, and the name is a link. Raises
    ValueError for a template that is none.
    """
    values = words.for_template
    if html:
        values["name"] = _link(words)
    try:
        return _limited(_compiled(text, html=html).generate(values))
    except TemplateError as reason:
        raise ValueError(f"is no template: {reason.message}") from None
    except (TypeError, ValueError) as reason:
        raise ValueError(f"cannot be filled in: {reason}") from None


def _short(value: Any) -> Any:
    return value[:LONGEST_WORD] if isinstance(value, str) else value


def _link(words: Words) -> Markup:
    name = escape(_short(words.name))
    return Markup('<a href="{}">{}</a>').format(words.url, name) if words.url else name


def _limited(pieces: Iterable[str]) -> str:
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > LONGEST_TEXT:
            raise ValueError(f"it grows longer than {LONGEST_TEXT:,} characters")
    return "".join(found).strip()


@lru_cache(maxsize=256)
def _compiled(text: str, *, html: bool) -> Template:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=html)
    tree = environment.parse(text)
    _check(tree, loops=1)
    strange = find_undeclared_variables(tree) - _EXAMPLES[0].for_template.keys()
    if strange:
        raise TemplateSyntaxError(f"there is no {', '.join(sorted(strange))}", 1)
    return environment.from_string(tree)


def _check(node: nodes.Node, loops: int) -> None:
    """Refuse whatever could compute for long: calls, arithmetic, loops within loops."""
    if not isinstance(node, _NODES):
        raise TemplateSyntaxError(f"{type(node).__name__} has no place here", node.lineno)
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        raise TemplateSyntaxError(f"there is no filter {node.name}", node.lineno)
    if isinstance(node, nodes.Filter) and node.name == "join" and not _is_short_join(node):
        raise TemplateSyntaxError("join takes genres and a short text", node.lineno)
    if isinstance(node, nodes.Getattr) and node.attr not in _ATTRIBUTES:
        raise TemplateSyntaxError(f"there is no {node.attr}", node.lineno)
    if isinstance(node, nodes.For):
        if not loops or node.recursive or not isinstance(node.iter, nodes.Name):
            raise TemplateSyntaxError("a loop goes over episodes or genres, once", node.lineno)
        loops -= 1
    for child in node.iter_child_nodes():
        _check(child, loops)


def _is_short_join(node: nodes.Filter) -> bool:
    """Whether a join cannot make much of little, as one of texts by texts does."""
    over_genres = isinstance(node.node, nodes.Name) and node.node.name == "genres"
    return over_genres and all(isinstance(argument, nodes.Const) for argument in node.args)
