// The page of one title.

function titleView(main, key) {
  const title = byKey.get(key);
  if (!title) return () => main.replaceChildren(...headed("Not in this book"), nothing("There is no title of that name here."));
  return () => {
    shown = [];
    const [first, second] = [ownName(title), subtitle(title)];
    main.replaceChildren(...[
      title.show && el("p", { class: "crumb" }, el("a", { href: addressOf(title.show), dir: "auto" }, ownName(title.show))),
      ...headed(first),
      second && el("p", { class: "quiet" }, second),
      facts(title),
      links(title),
      ...(title.type === "show" ? seasons(title) : watches(title)),
      ...onLists(title),
      ...textsAbout(title),
    ].filter(Boolean));
    for (const each of shown) each.measure();
  };
}

function subtitle(title) {
  if (title.type === "episode") return [place(title) || null, "Episode"].filter(Boolean).join(" · ");
  if (title.type === "season") return seasonName(title.season);
  return [title.type === "movie" ? "Film" : "Show", title.year].filter(Boolean).join(" · ");
}

function facts(title) {
  const seen = title.episodes?.length;
  const rows = [
    ["Plays", number(title.watches.length)],
    seen && ["Episodes watched", title.aired >= seen ? `${number(seen)} of ${number(title.aired)}` : number(seen)],
    title.rating != null && ["Rating", `★ ${title.rating} of 10`],
    title.rating != null && title.ratedAt != null && ["Rated on", shortDay(title.ratedAt)],
    title.watches.length > 0 && ["Last watched", shortDay(title.last)],
    minutesOf(title) > 0 && ["Runtime", `${minutesOf(title)} min`],
    inHours(title.watches) && ["Time spent", inHours(title.watches)],
  ].filter(Boolean);
  return el("dl", { class: "facts" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

const path = (value) => encodeURIComponent(String(value));

function traktAddress(title) {
  const site = "https://trakt.tv";
  if (title.id == null || title.id === "0") return null;
  const show = title.show;
  const name = (of) => path(of.slug ?? of.id);
  if (title.type === "movie") return `${site}/movies/${name(title)}`;
  if (title.type === "show") return `${site}/shows/${name(title)}`;
  if (!show || title.season == null) return null;
  const season = `${site}/shows/${name(show)}/seasons/${title.season}`;
  return title.type === "season" ? season : title.number == null ? null : `${season}/episodes/${title.number}`;
}

function tmdbAddress(title) {
  const site = "https://www.themoviedb.org";
  if (title.type === "movie") return title.tmdb && `${site}/movie/${path(title.tmdb)}`;
  if (title.type === "show") return title.tmdb && `${site}/tv/${path(title.tmdb)}`;
  if (!title.show?.tmdb || title.season == null) return null;
  const season = `${site}/tv/${path(title.show.tmdb)}/season/${title.season}`;
  return title.type === "season" ? season : title.number == null ? null : `${season}/episode/${title.number}`;
}

function links(title) {
  const found = [
    ["Trakt", traktAddress(title)],
    ["IMDb", /^tt\d+$/.test(title.imdb ?? "") ? `https://www.imdb.com/title/${title.imdb}/` : null],
    ["TMDB", tmdbAddress(title)],
  ].filter(([, address]) => address);
  if (!found.length) return null;
  return el("p", { class: "links" }, found.flatMap(([name, address]) => [outward(name, address), " "]));
}

function part(heading, ...content) {
  return el("section", { class: "part" }, el("h3", {}, heading), content);
}

const SAID_OF = { scrobble: "scrobbled", checkin: "checked in", watch: "marked as watched" };

function watches(title) {
  if (!title.watches.length) return [nothing(`No play of this ${NAMES[title.type]} is in this book.`)];
  const newest = [...title.watches].reverse();
  const build = (i) => {
    const at = plays.at[newest[i]];
    const time = Number.isNaN(at) ? "Unknown date" : `${dayName(at)}, ${clockTime(at)}`;
    return el("div", { class: "row" },
      el("span", { class: "time" }, `${newest.length - i}.`),
      el("span", { class: "main" }, el("span", {}, time)),
      el("span", { class: "figures" }, SAID_OF[plays.action(newest[i])] ?? ""));
  };
  return [part("Watched", rowList("Plays", newest.length, { build }))];
}

// Seasons with the episodes that were watched, in the order in which they aired.
function seasons(show) {
  const episodes = [...(show.episodes ?? [])].sort((a, b) =>
    (a.season || 1e9) - (b.season || 1e9) || (a.number ?? 0) - (b.number ?? 0));
  if (!episodes.length) return [nothing("No episode of this show is in this book.")];
  const entries = [];
  for (const episode of episodes) {
    const last = entries.findLast((entry) => entry.heading);
    if (!last || last.season !== episode.season) entries.push({ heading: true, season: episode.season, count: 0, plays: 0 });
    const current = entries.findLast((entry) => entry.heading);
    current.count++;
    current.plays += episode.plays.length;
    entries.push(episode);
  }
  const build = (i) => entries[i].heading
    ? head(seasonName(entries[i].season), `${counted(entries[i].count, "episode")}, ${counted(entries[i].plays, "play")}`)
    : episodeRow(entries[i]);
  return [
    el("p", {}, el("a", { href: `#/history?of=${path(show.key)}` }, `All ${counted(show.watches.length, "play")} by date`)),
    el("section", { class: "part" }, el("h3", { class: "hidden-label" }, "Seasons"),
      rowList("Episodes", entries.length, { isHead: (i) => entries[i].heading === true, build })),
  ];
}

function episodeRow(episode) {
  return el("a", { class: "row", href: addressOf(episode) },
    el("span", { class: "time" }, episode.number == null ? "" : `E${episode.number}`),
    el("span", { class: "main" }, el("span", { class: "first", dir: "auto" }, ownName(episode))), " ",
    el("span", { class: "figures" }, [
      star(episode.rating), " ",
      episode.plays.length > 1 && sign("again", `↻ ${episode.plays.length}`, `watched ${counted(episode.plays.length, "time")}`), " ",
      dateOf(episode.last),
    ].filter(Boolean)));
}

function onLists(title) {
  const found = shelves.lists.filter((list) => list.rows.some(([about]) => titles[about] === title));
  if (!found.length) return [];
  return [part("On lists", el("p", { class: "pills" }, found.map((list) =>
    el("a", { href: `#/lists/${path(list.id)}`, dir: "auto" }, list.name))))];
}

function textsAbout(title) {
  const found = shelves.said.filter(([, about]) => titles[about] === title);
  return found.length ? [part("Notes and comments", texts(found))] : [];
}
