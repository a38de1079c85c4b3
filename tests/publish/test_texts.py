"""Templates say what they may, and cannot compute for long."""

from __future__ import annotations

import pytest

from watchbook.publish.texts import (
    BINGE_TEXT,
    EPISODE_TEXT,
    FILM_TEXT,
    LONGEST_TEMPLATE,
    LONGEST_TEXT,
    EpisodeWords,
    Words,
    rendered,
    template,
)

FILM = Words("Heat (1995)", "Heat", "https://app.trakt.tv/movies/heat-1995", year=1995, rating=9)
BINGE = Words(
    "The Wire",
    "The Wire",
    episodes=[EpisodeWords(f"S02E0{n}", 2, n, f"Part {n}") for n in (1, 2, 3)],
    genres=["crime", "drama"],
)

GOOD = {
    FILM_TEXT: "Watched The Wire",
    EPISODE_TEXT: "Watched The Wire",
    BINGE_TEXT: "Watched 3 episodes of The Wire: S02E01 to S02E03",
    "{{ title|upper }}{% if rewatch %} again{% endif %}": "THE WIRE",
    "{% for e in episodes %}{{ e.code }}{% if not loop.last %}, {% endif %}{% endfor %}": (
        "S02E01, S02E02, S02E03"
    ),
    "{{ genres|join(' and ') }}": "crime and drama",
    "{{ rating|default('unrated', true) }}": "unrated",
    "{{ '★' if rating else 'seen' }} {{ show ~ title }}": "seen The Wire",
}


@pytest.mark.parametrize(("text", "said"), GOOD.items())
def test_template_says(text: str, said: str) -> None:
    """What the language offers gives what one expects of it."""
    assert rendered(template(text), BINGE, html=False) == said


BAD = {
    "{{ nothing }}": "there is no nothing",
    "{% if false %}{{ nothing }}{% endif %}": "there is no nothing",
    "{{ name": "end of template",
    "{{ ''.__class__ }}": "__class__",
    "{{ title.format }}": "format",
    "{{ title.upper() }}": "Call",
    "{{ range(9) }}": "Call",
    "{{ 9 ** 9 }}": "Pow",
    "{{ title * 9 }}": "Mul",
    "{% set x = 1 %}": "Assign",
    "{% macro x() %}{% endmacro %}": "Macro",
    "{% include 'x' %}": "Include",
    "{% for a in episodes %}{% for b in episodes %}{% endfor %}{% endfor %}": "once",
    "{% for a in 'text' %}{% endfor %}": "episodes or genres",
    "{{ title|join(title)|join(title)|join(title) }}": "join",
    "{{ title|replace('a', 'bbbb') }}": "no filter replace",
    "{{ title|center(1000000000) }}": "no filter center",
    "x" * (LONGEST_TEMPLATE + 1): "longer than",
}


@pytest.mark.parametrize(("text", "why"), BAD.items(), ids=range(len(BAD)))
def test_template_is_refused(text: str, why: str) -> None:
    """A template that does not work, or could work for ever, is refused when it is saved."""
    with pytest.raises(ValueError, match=r"is no template|longer than") as refused:
        template(text)
    assert why in str(refused.value)


def test_html_links_the_name_and_escapes_the_rest() -> None:
    """In HTML the name is a link, and no title can add a tag."""
    hostile = Words("<b>Heat</b>", "<script>", 'https://e.org/?a="&b=1')
    assert rendered("<p>{{ name }} {{ title }}</p>", hostile, html=True) == (
        '<p><a href="https://e.org/?a=&#34;&amp;b=1">&lt;b&gt;Heat&lt;/b&gt;</a> &lt;script&gt;</p>'
    )
    assert rendered("{{ name }}", FILM, html=False) == "Heat (1995)"


def test_text_does_not_grow_without_end() -> None:
    """Long titles are cut, and a text that grows too long is refused."""
    long = Words("x" * 65_536, "y" * 65_536, episodes=[EpisodeWords("c", 1, 1, "t")] * 200)
    assert len(rendered("{{ name }}{{ title }}", long, html=False)) == 1_000
    with pytest.raises(ValueError, match=f"longer than {LONGEST_TEXT:,}"):
        rendered("{% for e in episodes %}{{ name }}{% endfor %}", long, html=False)
