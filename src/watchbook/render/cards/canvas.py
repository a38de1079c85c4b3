"""The canvas of a card: shapes and texts by what their colours are for, as one SVG.

Colours are attributes, so a card looks as it should also where styles are forbidden; only the
dark half of the theme ``auto`` is a style. There is no script, and no address but ``data:``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape

from watchbook.render.attribution import BY_SOURCE
from watchbook.render.cards import letters
from watchbook.render.cards.letters import Choose, Name, as_called
from watchbook.render.cards.themes import AUTO, THEMES, Theme
from watchbook.render.cards.words import Words

OURS = "DejaVu Sans"
_THEIRS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, "
    f"'Noto Sans', '{OURS}', sans-serif"
)
_RADIUS = 12
_CREDIT, _MARGIN = 9, 14
"""The size of the letters that name whose pictures a card shows, and their room to its right."""
_DESCRIBED = 300
"""Characters that a screen reader is told of a title."""


@dataclass(frozen=True)
class Look:
    """How a card is to look."""

    width: int
    words: Words
    theme: str = AUTO
    """One of `themes.NAMES`."""
    choose: Choose = as_called
    """How titles are written."""
    family: str = _THEIRS

    @property
    def colours(self) -> Theme:
        """The colours that stand in the attributes."""
        return THEMES["light" if self.theme == AUTO else self.theme]


class Canvas:
    """Collects what a card shows; all lengths are in pixels."""

    def __init__(self, look: Look, height: float) -> None:
        self.look = look
        self.width = look.width
        self.height = round(height)
        self._parts: list[str] = []
        self._clips = 0
        self._owed: set[str] = set()

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, radius: float = 0
    ) -> None:
        """A filled box; ``fill`` is the name of a colour of the theme, or a colour."""
        rounded = f' rx="{_n(radius)}"' if radius else ""
        self._parts.append(f"<rect{_area(x, y, width, height)}{rounded}{self._fill(fill)}/>")

    def frame(self, x: float, y: float, width: float, height: float, radius: float) -> None:
        """A thin line around something."""
        area = _area(x + 0.5, y + 0.5, width - 1, height - 1)
        colour = f' fill="none" stroke="{self.look.colours.edge}"{self._class("s", "edge")}'
        self._parts.append(f'<rect{area} rx="{_n(radius - 0.5)}"{colour}/>')

    def outline(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        *,
        thick: float,
        opacity: float,
    ) -> None:
        """A line of a colour (``#rrggbb``) around something."""
        area = _area(x, y, width, height)
        line = f' stroke="{colour}" stroke-opacity="{_n(opacity)}" stroke-width="{_n(thick)}"'
        self._parts.append(f'<rect{area} fill="none"{line}/>')

    def path(self, drawn: str, fill: str) -> None:
        """A filled shape."""
        self._parts.append(f'<path d="{drawn}"{self._fill(fill)}/>')

    def picture(
        self, x: float, y: float, width: float, height: float, data: str, radius: float
    ) -> None:
        """A picture given as a ``data:`` address, cut to fill its place."""
        assert data.startswith("data:image/")
        clip = self._clip(x, y, width, height, radius)
        area = _area(x, y, width, height)
        self._parts.append(
            f'<image{area} preserveAspectRatio="xMidYMid slice" clip-path="url(#{clip})"'
            f' href="{escape(data)}"/>'
        )

    def owe(self, source: str) -> None:
        """Note that a picture of ``source`` is shown, which has to be named on the card."""
        self._owed.add(source)

    def _clip(self, x: float, y: float, width: float, height: float, radius: float) -> str:
        self._clips += 1
        name = f"wb-clip-{self._clips}"
        area = _area(x, y, width, height)
        self._parts.append(f'<clipPath id="{name}"><rect{area} rx="{_n(radius)}"/></clipPath>')
        return name

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        fill: str = "ink",
        *,
        bold: bool = False,
        anchor: str = "start",
        spacing: float = 0,
    ) -> None:
        """A line of text, ``y`` being where its letters stand."""
        marks = ' font-weight="700"' if bold else ""
        marks += f' text-anchor="{anchor}"' if anchor != "start" else ""
        marks += f' letter-spacing="{_n(spacing)}"' if spacing else ""
        place = f' x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"'
        shown = escape(letters.isolated(text))
        self._parts.append(f"<text{place}{marks}{self._fill(fill)}>{shown}</text>")

    def line(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        room: float,
        fill: str = "ink",
        *,
        bold: bool = False,
        anchor: str = "start",
    ) -> float:
        """A line of text that is shortened to ``room``; gives the width that it takes at most."""
        shown = letters.shortened(text, room, size, bold=bold)
        self.text(x, y, shown, size, fill, bold=bold, anchor=anchor)
        return letters.width(shown, size, bold=bold)

    def name(self, name: Name) -> str:
        """A title as it is written here."""
        return self.look.choose(name) or self.look.words.unknown_title

    def _fill(self, fill: str) -> str:
        if fill.startswith("#"):
            return f' fill="{fill}"'
        return f' fill="{getattr(self.look.colours, fill)}"{self._class("f", fill)}'

    def _class(self, kind: str, colour: str) -> str:
        return f' class="wb-{kind}-{colour}"' if self.look.theme == AUTO else ""

    def finished(self, title: str, description: str) -> str:
        """The card; ``title`` and ``description`` are what a screen reader says.

        Whose pictures it shows stands below everything else, and what they want said with it.
        """
        width, height = self.width, self.height
        owed = [BY_SOURCE[source] for source in sorted(self._owed)]
        if owed:
            names = " · ".join(one.name for one in owed)
            self.text(width - _MARGIN, height - 4, names, _CREDIT, "soft", anchor="end")
        notices = "".join(f" {one.notice}" for one in owed if one.is_required)
        if notices and not description.endswith("."):
            description += "."
        frame = Canvas(self.look, height)
        frame.box(0, 0, width, height, "back", _RADIUS)
        frame.frame(0, 0, width, height, _RADIUS)
        return "".join(
            (
                '<svg xmlns="http://www.w3.org/2000/svg" role="img"',
                f' width="{width}" height="{height}" viewBox="0 0 {width} {height}"',
                f' lang="{self.look.words.language}" aria-labelledby="wb-title wb-desc">',
                f'<title id="wb-title">{_said(title)}</title>',
                f'<desc id="wb-desc">{_said(description)}{notices}</desc>',
                f"<style>{DARK_STYLE}</style>" if self.look.theme == AUTO else "",
                f'<g font-family="{escape(self.look.family)}">',
                *frame._parts,
                *self._parts,
                "</g></svg>",
            )
        )


def _dark_style() -> str:
    """The rules by which a card has dark colours for whoever prefers them."""
    dark = THEMES["dark"]
    rules = (f".wb-f-{name}{{fill:{colour}}}" for name, colour in asdict(dark).items())
    edge = f".wb-s-edge{{stroke:{dark.edge}}}"
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}{edge}}}"


DARK_STYLE = _dark_style()


def _said(text: str) -> str:
    """``text`` for a screen reader."""
    return escape(text if len(text) <= _DESCRIBED else text[: _DESCRIBED - 1] + letters.ELLIPSIS)


def _area(x: float, y: float, width: float, height: float) -> str:
    return f' x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'


def _n(number: float) -> str:
    """A length with up to two places."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
