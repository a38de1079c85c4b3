// The parts of the book that are lists. Each view fills `main` and gives a function that
// `route` calls when only the choice in the address changed.

// A part with a filter bar: `list(params)` gives the words above the list, and the list.
function filtered(main, heading, path, fields, list) {
  const status = el("p", { class: "status", role: "status" });
  const place = el("div");
  const fill = (params) => {
    shown = [];
    const { words, node } = list(params);
    status.textContent = words;
    place.replaceChildren(node);
    for (const each of shown) each.measure();
  };
  const render = (params) => {
    const bar = filterBar(params, fields, (chosen) => {
      keepAddress(path, chosen);
      fill(chosen);
    });
    main.replaceChildren(...heading(params), bar, status, place);
    fill(params);
  };
  return render;
}

const headed = (text, ...more) => [el("h2", { tabindex: "-1", dir: "auto" }, text), ...more];
const outOf = (found, all, noun) =>
  found === all ? counted(all, noun) : `${number(found)} of ${counted(all, noun)}`;
const nothing = (text) => el("p", { class: "none" }, text);

// What a choice came to: how many of how many in words, and the list or why there is none.
function result(found, all, noun, list) {
  const why = all ? "Nothing fits what you chose." : `There are no ${noun}s in this book.`;
  return { words: outOf(found.length, all, noun), node: found.length ? list() : nothing(why) };
}

// --- History -------------------------------------------------------------------------------

function playsFor(params) {
  const hits = matcher(params.get("q") ?? "");
  const of = byKey.get(params.get("of") ?? "");
  const [type, rating] = [params.get("type"), params.get("rating")];
  const [year, again] = [params.get("year"), params.get("again")];
  const found = [];
  for (let play = plays.count - 1; play >= 0; play--) {
    const title = plays.title(play);
    if (hits && !hits.has(title)) continue;
    if (of && title !== of && title.show !== of) continue;
    if (!fits.type(title, type) || !fits.rating(title, rating)) continue;
    if (year && String(yearOf(plays.at[play])) !== year) continue;
    if (again && plays.nth[play] < 2) continue;
    found.push(play);
  }
  return params.get("sort") === "oldest" ? oldestFirst(found) : found;
}

// Plays of unknown date come last, whatever the order.
function oldestFirst(found) {
  const dated = found.filter((play) => !Number.isNaN(plays.at[play]));
  const undated = found.filter((play) => Number.isNaN(plays.at[play]));
  return [...dated.reverse(), ...undated];
}

const dayOf = (play) => Number.isNaN(plays.at[play]) ? UNKNOWN : Math.floor(plays.at[play] / DAY);

// What the list shows: a play as its number, a day as an object that knows its plays.
function byDay(found) {
  const entries = [];
  let day = null;
  for (const play of found) {
    if (!day || day.day !== dayOf(play)) {
      day = { day: dayOf(play), at: plays.at[play], count: 0 };
      entries.push(day);
    }
    day.count++;
    entries.push(play);
  }
  return entries;
}

function playRow(play) {
  const title = plays.title(play);
  const at = plays.at[play];
  const left = el("span", { class: "time" }, Number.isNaN(at) ? "" : clockTime(at));
  const nth = plays.nth[play];
  const again = nth > 1 ? sign("again", `↻ ${nth}`, `watched for the ${ordinal(nth)} time`) : null;
  const line = row(title, { left, figures: [again, star(title.rating)] });
  line.insertBefore(mark(title), line.children[1]);
  line.classList.add("play");
  return line;
}

function ordinal(value) {
  const end = value % 100 > 10 && value % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][value % 10] ?? "th";
  return `${value}${end}`;
}

function playList(found) {
  const entries = byDay(found);
  const where = el("span");
  const list = rowList("Plays", entries.length, {
    isHead: (i) => typeof entries[i] === "object",
    build: (i) => typeof entries[i] === "object"
      ? head(entries[i].day === UNKNOWN ? "Unknown date" : dayName(entries[i].at), counted(entries[i].count, "play"))
      : playRow(entries[i]),
    atTop: (i) => {
      const entry = entries[i];
      where.textContent = monthName(typeof entry === "object" ? entry.at : plays.at[entry]);
      where.hidden = scrollY < 400;
    },
  });
  return el("div", {}, el("div", { class: "where", "aria-hidden": "true" }, where), list);
}

function historyView(main) {
  const years = Array.from({ length: plays.count }, (_, play) => yearOf(plays.at[play]));
  const fields = [SEARCH, TYPE, { name: "year", label: "Watched in", choices: yearChoices(years) }, RATING,
    sorting(["newest", "Newest first"], ["oldest", "Oldest first"]), AGAIN];
  const heading = (params) => {
    const of = byKey.get(params.get("of") ?? "");
    return headed(of ? `History of ${ownName(of)}` : "History",
      of && el("p", {}, el("a", { href: addressOf(of) }, "Back to the page of this ", NAMES[of.type])));
  };
  return filtered(main, (params) => heading(params).filter(Boolean), "history", fields, (params) => {
    const found = playsFor(params);
    return result(found, plays.count, "play", () => playList(found));
  });
}

// --- Films and shows -----------------------------------------------------------------------

function titlesFor(all, params) {
  const hits = matcher(params.get("q") ?? "");
  const [rating, year, again] = [params.get("rating"), params.get("year"), params.get("again")];
  return all.filter((title) => (!hits || hits.has(title) || title.episodes?.some((e) => hits.has(e)))
    && fits.rating(title, rating)
    && (!year || title.watches.some((play) => String(yearOf(plays.at[play])) === year))
    && (!again || title.again));
}

const ORDERS = {
  last: down((title) => known(title.last)),
  title: byName,
  plays: down((title) => title.watches.length),
  rating: down((title) => title.rating),
  year: down((title) => title.year),
  episodes: down((title) => title.episodes?.length),
};
const USUAL_ORDERS = [["last", "Last watched"], ["title", "Title"], ["plays", "Most plays"],
  ["rating", "Best rating"], ["year", "Newest title"]];

const dateOf = (minutes) => el("span", { class: "date" }, shortDay(minutes));

function titleRow(title) {
  const episodes = title.type !== "show" ? null : title.aired > 0 && title.episodes.length <= title.aired
    ? `${number(title.episodes.length)} of ${counted(title.aired, "episode")}`
    : counted(title.episodes.length, "episode");
  return row(title, {
    second: [title.year, episodes].filter((part) => part != null).join(" · "),
    figures: [star(title.rating), el("span", { class: "count" }, counted(title.watches.length, "play")), dateOf(title.last)],
  });
}

function titlesView(main, { type, heading, path, noun, orders }) {
  const all = watched(type);
  const years = all.flatMap((title) => title.watches.map((play) => yearOf(plays.at[play])));
  const fields = [SEARCH, { name: "year", label: "Watched in", choices: yearChoices(years) }, RATING,
    sorting(...orders), AGAIN];
  return filtered(main, () => headed(heading), path, fields, (params) => {
    const found = titlesFor(all, params).sort(ORDERS[params.get("sort")] ?? ORDERS.last);
    return result(found, all.length, noun, () =>
      rowList(heading, found.length, { build: (i) => titleRow(found[i]) }));
  });
}

const filmsView = (main) => titlesView(main,
  { type: "movie", heading: "Films", path: "films", noun: "film", orders: USUAL_ORDERS });
const showsView = (main) => titlesView(main, { type: "show", heading: "Shows", path: "shows", noun: "show",
  orders: [...USUAL_ORDERS, ["episodes", "Most episodes"]] });

// --- Ratings and lists ---------------------------------------------------------------------

// Rows are about a title, or about something of which only the name is known.
const subject = (about) => typeof about === "number" ? titles[about] : { name: about };
const nameless = (name, figures) => el("div", { class: "row" }, el("span", { class: "mark" }),
  el("span", { class: "main" }, el("span", { class: "first", dir: "auto" }, name)),
  el("span", { class: "figures" }, figures.filter(Boolean)));

function holds(hits, words, about, text = "") {
  if (!hits) return true;
  const title = subject(about);
  return hits.has(title) || words(`${title.name ?? ""} ${text}`);
}

const ALL_TYPES = [["", "Everything"], ["movie", "Films"], ["show", "Shows"], ["season", "Seasons"], ["episode", "Episodes"]];

const sortRows = (rows, compare) => [...rows].sort(compare);
const nameOf = (about) => typeof about === "number" ? lines(titles[about]).join(" ") : about;
const byRowName = (a, b) => collator.compare(nameOf(a[0]), nameOf(b[0]));

function ratingsView(main) {
  const all = shelves.ratings;
  const years = all.map(([, , at]) => yearOf(at ?? NaN));
  const fields = [SEARCH, { ...TYPE, choices: ALL_TYPES }, { name: "year", label: "Rated in", choices: yearChoices(years) },
    { ...RATING, choices: [RATED[0], ...RATED.slice(3)] },
    sorting(["newest", "Newest first"], ["best", "Best first"], ["worst", "Worst first"], ["title", "Title"])];
  const orders = { best: (a, b) => b[1] - a[1] || byRowName(a, b), worst: (a, b) => a[1] - b[1] || byRowName(a, b),
    title: byRowName, newest: (a, b) => (b[2] ?? 0) - (a[2] ?? 0) };
  return filtered(main, () => headed("Ratings"), "ratings", fields, (params) => {
    const hits = matcher(params.get("q") ?? "");
    const words = textMatcher(params.get("q") ?? "");
    const [type, year, rating] = [params.get("type"), params.get("year"), params.get("rating")];
    const fit = all.filter(([about, stars, at]) => holds(hits, words, about) && fits.type(subject(about), type)
      && (!rating || stars === Number(rating)) && (!year || String(yearOf(at ?? NaN)) === year));
    const found = sortRows(fit, orders[params.get("sort")] ?? orders.newest);
    const build = (i) => {
      const [about, stars, at] = found[i];
      const title = subject(about);
      const figures = [star(stars), dateOf(at)];
      return title.name == null ? row(title, { figures }) : nameless(title.name, figures);
    };
    return result(found, all.length, "rating", () => rowList("Ratings", found.length, { build }));
  });
}

function listsView(main, id) {
  const list = shelves.lists.find((each) => each.id === id) ?? shelves.lists[0];
  if (!list) return () => main.replaceChildren(...headed("Lists"), nothing("There are no lists in this book."));
  const all = list.rows.map((each, place) => [...each.slice(0, 3), ...Array(3 - Math.min(3, each.length)).fill(null), place]);
  const pills = el("nav", { class: "pills", "aria-label": "Lists" }, shelves.lists.map((each) => el("a",
    { href: `#/lists/${encodeURIComponent(each.id)}`, "aria-current": each === list ? "page" : null, dir: "auto" },
    `${each.name} (${number(each.rows.length)})`)));
  const orders = { place: (a, b) => a[3] - b[3], title: byRowName, added: (a, b) => (b[1] ?? 0) - (a[1] ?? 0),
    year: (a, b) => (subject(b[0]).year ?? 0) - (subject(a[0]).year ?? 0) || byRowName(a, b) };
  const fields = [SEARCH, { ...TYPE, choices: ALL_TYPES }, RATING,
    sorting(["place", "Order of the list"], ["title", "Title"], ["added", "Last added"], ["year", "Newest title"]),
    { name: "again", label: "Not watched yet" }];
  const heading = () => [...headed("Lists"), pills, el("h3", { dir: "auto" }, list.name),
    list.owner && el("p", { class: "quiet" }, `A list of ${list.owner} that may be edited.`),
    list.about && el("p", { class: "quiet", dir: "auto" }, list.about)].filter(Boolean);
  return filtered(main, heading, `lists/${encodeURIComponent(list.id)}`, fields, (params) => {
    const hits = matcher(params.get("q") ?? "");
    const words = textMatcher(params.get("q") ?? "");
    const fit = all.filter(([about, , note]) => holds(hits, words, about, note ?? "")
      && fits.type(subject(about), params.get("type")) && fits.rating(subject(about), params.get("rating"))
      && (!params.get("again") || !subject(about).watches?.length));
    const found = sortRows(fit, orders[params.get("sort")] ?? orders.place);
    return result(found, all.length, "row", () =>
      rowList(list.name, found.length, { build: (i) => listRow(found[i]) }));
  });
}

function listRow([about, at, note]) {
  const title = subject(about);
  const figures = [star(title.rating), dateOf(at)];
  if (title.name != null) return nameless(title.name, figures);
  const seen = title.watches.length ? sign("again", "✓", "watched") : null;
  const second = [lines(title)[1], note].filter(Boolean).join(" · ");
  return row(title, { second, figures: [seen, ...figures] });
}

// --- Notes and comments --------------------------------------------------------------------

const A_FEW = 100;

function notesView(main) {
  const all = [...shelves.said].sort((a, b) => (b[2] ?? 0) - (a[2] ?? 0));
  const fields = [{ ...SEARCH, hint: "A title, or words of the text" },
    { name: "kind", label: "Kind", choices: [["", "Everything"], ["note", "Notes"], ["comment", "Comments"]] },
    sorting(["newest", "Newest first"], ["oldest", "Oldest first"])];
  return filtered(main, () => headed("Notes and comments"), "notes", fields, (params) => {
    const hits = matcher(params.get("q") ?? "");
    const words = textMatcher(params.get("q") ?? "");
    const found = all.filter(([kind, about, , text]) => (!params.get("kind") || kind === params.get("kind"))
      && holds(hits, words, about, text));
    if (params.get("sort") === "oldest") found.reverse();
    return result(found, all.length, "text", () => texts(found));
  });
}

function texts(found) {
  const place = el("div");
  const more = el("button", { class: "more", type: "button", onclick: () => add(true) });
  let next = 0;
  function add(asked) {
    const fresh = found.slice(next, next + A_FEW).map(said);
    more.before(...fresh);
    next += fresh.length;
    more.hidden = next >= found.length;
    more.textContent = `Show ${number(Math.min(A_FEW, found.length - next))} more`;
    if (asked) fresh[0].querySelector("a, h3")?.focus();
  }
  place.append(more);
  add(false);
  return place;
}

function said([kind, about, at, text, spoils, more]) {
  const title = subject(about);
  const name = title.name != null ? el("span", { dir: "auto" }, title.name)
    : el("a", { href: addressOf(title), dir: "auto" }, lines(title).filter(Boolean).join(", "));
  const words = el("p", { dir: "auto" }, text);
  return el("article", { class: "said" },
    el("h3", {}, title.name == null && mark(title), name),
    spoils ? el("details", {}, el("summary", {}, "Contains spoilers"), words) : words,
    el("footer", {}, [kind === "note" ? "Note" : "Comment", at == null ? null : shortDay(at), ...more]
      .filter(Boolean).join(" · ")));
}
