"""The languages that cards speak: a dozen words each, and how dates and numbers are written."""

# ruff: noqa: RUF001 - other languages have letters of their own

from __future__ import annotations

from dataclasses import replace

from watchbook.render.cards.words import Words

_THIN, _HARD = "\u202f", "\u00a0"


def _none_is_one(count: int) -> int:
    return 0 if count < 2 else 1


def _polish(count: int) -> int:
    if count == 1:
        return 0
    return 1 if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else 2


def _always(_count: int) -> int:
    return 0


_EN = Words(
    language="en",
    last_watched="Last watched",
    watching_now="Watching now",
    nothing_now="Nothing on right now",
    nothing_yet="Nothing watched yet",
    unknown_date="at some time",
    unknown_title="Unknown title",
    plays=("play", "plays"),
    films=("film", "films"),
    episodes=("episode", "episodes"),
    hours=("hour", "hours"),
    streak=("day in a row", "days in a row"),
    longest="Best run: {days}",
    year_line="The year in films and series",
    last_year="The last twelve months",
    less="Less",
    more="More",
    most_watched="Most watched",
    until="until {time}",
    months="Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    weekdays="Mon Tue Wed Thu Fri Sat Sun",
    full="{wd}, {d} {mon} {y}, {time}",
)
_DE = Words(
    language="de",
    last_watched="Zuletzt gesehen",
    watching_now="Läuft gerade",
    nothing_now="Gerade läuft nichts",
    nothing_yet="Noch nichts gesehen",
    unknown_date="irgendwann",
    unknown_title="Unbekannter Titel",
    plays=("Mal gesehen",),
    films=("Film", "Filme"),
    episodes=("Folge", "Folgen"),
    hours=("Stunde", "Stunden"),
    streak=("Tag in Folge", "Tage in Folge"),
    longest="Längste Serie: {days}",
    year_line="Das Jahr in Filmen und Serien",
    last_year="Die letzten zwölf Monate",
    less="Weniger",
    more="Mehr",
    most_watched="Am häufigsten gesehen",
    until="bis {time}",
    months="Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    weekdays="Mo. Di. Mi. Do. Fr. Sa. So.",
    full="{wd}, {d}. {mon} {y}, {time}",
    day="{d}. {mon} {y}",
    thousands=".",
)
_FR = Words(
    language="fr",
    last_watched="Vu dernièrement",
    watching_now="En cours",
    nothing_now="Rien en ce moment",
    nothing_yet="Encore rien de vu",
    unknown_date="à une date inconnue",
    unknown_title="Titre inconnu",
    plays=("visionnage", "visionnages"),
    films=("film", "films"),
    episodes=("épisode", "épisodes"),
    hours=("heure", "heures"),
    streak=("jour d’affilée", "jours d’affilée"),
    longest="Record : {days}",
    year_line="L’année en films et en séries",
    last_year="Les douze derniers mois",
    less="Moins",
    more="Plus",
    most_watched="Les plus vus",
    until="jusqu’à {time}",
    months="janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    weekdays="lun. mar. mer. jeu. ven. sam. dim.",
    thousands=_THIN,
    plural=_none_is_one,
)
_ES = Words(
    language="es",
    last_watched="Visto por última vez",
    watching_now="Viendo ahora",
    nothing_now="Nada en este momento",
    nothing_yet="Todavía nada visto",
    unknown_date="en fecha desconocida",
    unknown_title="Título desconocido",
    plays=("reproducción", "reproducciones"),
    films=("película", "películas"),
    episodes=("episodio", "episodios"),
    hours=("hora", "horas"),
    streak=("día seguido", "días seguidos"),
    longest="Récord: {days}",
    year_line="El año en películas y series",
    last_year="Los últimos doce meses",
    less="Menos",
    more="Más",
    most_watched="Lo más visto",
    until="hasta las {time}",
    months="ene feb mar abr may jun jul ago sept oct nov dic",
    weekdays="lun mar mié jue vie sáb dom",
    full="{wd}, {d} {mon} {y}, {time}",
    thousands=".",
    ungrouped=9999,
)
_IT = Words(
    language="it",
    last_watched="Ultima visione",
    watching_now="In visione",
    nothing_now="Niente in questo momento",
    nothing_yet="Ancora niente di visto",
    unknown_date="in data sconosciuta",
    unknown_title="Titolo sconosciuto",
    plays=("visione", "visioni"),
    films=("film",),
    episodes=("episodio", "episodi"),
    hours=("ora", "ore"),
    streak=("giorno di fila", "giorni di fila"),
    longest="Record: {days}",
    year_line="L’anno in film e serie",
    last_year="Gli ultimi dodici mesi",
    less="Meno",
    more="Più",
    most_watched="I più visti",
    until="fino alle {time}",
    months="gen feb mar apr mag giu lug ago set ott nov dic",
    weekdays="lun mar mer gio ven sab dom",
    thousands=".",
)
_NL = Words(
    language="nl",
    last_watched="Laatst gekeken",
    watching_now="Kijkt nu",
    nothing_now="Er staat nu niets op",
    nothing_yet="Nog niets gekeken",
    unknown_date="ooit",
    unknown_title="Onbekende titel",
    plays=("keer gekeken",),
    films=("film", "films"),
    episodes=("aflevering", "afleveringen"),
    hours=("uur",),
    streak=("dag op rij", "dagen op rij"),
    longest="Record: {days}",
    year_line="Het jaar in films en series",
    last_year="De laatste twaalf maanden",
    less="Minder",
    more="Meer",
    most_watched="Meest gekeken",
    until="tot {time}",
    months="jan feb mrt apr mei jun jul aug sep okt nov dec",
    weekdays="ma di wo do vr za zo",
    thousands=".",
)
_PT = Words(
    language="pt",
    last_watched="Visto por último",
    watching_now="A ver agora",
    nothing_now="Nada neste momento",
    nothing_yet="Ainda nada visto",
    unknown_date="em data desconhecida",
    unknown_title="Título desconhecido",
    plays=("reprodução", "reproduções"),
    films=("filme", "filmes"),
    episodes=("episódio", "episódios"),
    hours=("hora", "horas"),
    streak=("dia seguido", "dias seguidos"),
    longest="Recorde: {days}",
    year_line="O ano em filmes e séries",
    last_year="Os últimos doze meses",
    less="Menos",
    more="Mais",
    most_watched="Os mais vistos",
    until="até às {time}",
    months="jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    weekdays="seg. ter. qua. qui. sex. sáb. dom.",
    full="{wd}, {d} de {mon} de {y}, {time}",
    day="{d} de {mon} de {y}",
    month="{mon} de {y}",
    thousands=_HARD,
    ungrouped=9999,
    plural=_none_is_one,
)
_SV = Words(
    language="sv",
    last_watched="Senast sett",
    watching_now="Tittar just nu",
    nothing_now="Inget på just nu",
    nothing_yet="Inget sett ännu",
    unknown_date="någon gång",
    unknown_title="Okänd titel",
    plays=("visning", "visningar"),
    films=("film", "filmer"),
    episodes=("avsnitt",),
    hours=("timme", "timmar"),
    streak=("dag i rad", "dagar i rad"),
    longest="Rekord: {days}",
    year_line="Året i filmer och serier",
    last_year="De senaste tolv månaderna",
    less="Färre",
    more="Fler",
    most_watched="Mest sett",
    until="till {time}",
    months="jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.",
    weekdays="mån tis ons tors fre lör sön",
    full="{wd} {d} {mon} {y} {time}",
    thousands=_HARD,
)
_PL = Words(
    language="pl",
    last_watched="Ostatnio obejrzane",
    watching_now="Teraz oglądane",
    nothing_now="Teraz nic nie leci",
    nothing_yet="Jeszcze nic nie obejrzano",
    unknown_date="kiedyś",
    unknown_title="Nieznany tytuł",
    plays=("seans", "seanse", "seansów"),
    films=("film", "filmy", "filmów"),
    episodes=("odcinek", "odcinki", "odcinków"),
    hours=("godzina", "godziny", "godzin"),
    streak=("dzień z rzędu", "dni z rzędu", "dni z rzędu"),
    longest="Rekord: {days}",
    year_line="Rok w filmach i serialach",
    last_year="Ostatnie dwanaście miesięcy",
    less="Mniej",
    more="Więcej",
    most_watched="Najczęściej oglądane",
    until="do {time}",
    months="sty lut mar kwi maj cze lip sie wrz paź lis gru",
    weekdays="pon. wt. śr. czw. pt. sob. niedz.",
    full="{wd}, {d} {mon} {y}, {time}",
    thousands=_HARD,
    ungrouped=9999,
    plural=_polish,
)
_JA = Words(
    language="ja",
    last_watched="最近観た作品",
    watching_now="視聴中",
    nothing_now="今は何も観ていません",
    nothing_yet="まだ何も観ていません",
    unknown_date="日時不明",
    unknown_title="不明なタイトル",
    plays=("回視聴",),
    films=("映画",),
    episodes=("エピソード",),
    hours=("時間",),
    streak=("日連続",),
    longest="最長{days}",
    year_line="映画とドラマの一年",
    last_year="この十二か月",
    less="少",
    more="多",
    most_watched="よく観た作品",
    until="{time}まで",
    months="1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    weekdays="月 火 水 木 金 土 日",
    full="{y}年{m}月{d}日({wd}) {time}",
    day="{y}年{m}月{d}日",
    month="{y}年{m}月",
    between="",
    sunday_first=True,
    plural=_always,
)
_EN_US = replace(
    _EN,
    language="en-US",
    full="{wd}, {mon} {d}, {y}, {time}",
    day="{mon} {d}, {y}",
    sunday_first=True,
    twelve_hours=True,
)
_PT_BR = replace(
    _PT,
    language="pt-BR",
    watching_now="Assistindo agora",
    until="até {time}",
    thousands=".",
    ungrouped=999,
    sunday_first=True,
)

LANGUAGES = {
    words.language.lower(): words
    for words in (_EN, _EN_US, _DE, _FR, _ES, _IT, _NL, _PT, _PT_BR, _SV, _PL, _JA)
}
"""By language tag in lower letters."""


def words_of(locale: str) -> Words:
    """The language for a BCP 47 tag; English for one that cards do not speak."""
    tag = locale.strip().replace("_", "-").lower()
    return LANGUAGES.get(tag) or LANGUAGES.get(tag.partition("-")[0]) or _EN
