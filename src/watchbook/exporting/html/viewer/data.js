// The book: titles and plays as they are read from the page, and what follows from them.

const read = (id) => JSON.parse(document.getElementById(id).textContent);

const about = read("about");
const DAY = 1440;
const UNKNOWN = "unknown";

const titles = decodeTitles(read("titles"));
const byKey = new Map(titles.map((title) => [title.key, title]));
const plays = decodePlays(read("plays"));
const shelves = read("shelves");

// Rows of titles are short: their columns depend on the type, and stand in the page once.
function decodeTitles({ types, columns, rows }) {
  const found = rows.map(([type, ...values]) => {
    const title = { type: types[type], plays: [], rating: null, ratedAt: null, again: 0 };
    columns[title.type].forEach((name, place) => { title[name] = values[place] ?? null; });
    title.key = `${title.type}:${title.id}`;
    return title;
  });
  for (const title of found) title.show = title.show == null ? null : found[title.show];
  return found;
}

// Oldest first; those of unknown date come before all others and have no time at all.
function decodePlays({ unknown, at, title, action, actions }) {
  const times = new Float64Array(title.length).fill(NaN);
  let time = 0;
  at.forEach((step, place) => { times[unknown + place] = time += step; });
  const nth = new Uint32Array(title.length);
  title.forEach((number, play) => { nth[play] = titles[number].plays.push(play); });
  return {
    count: title.length,
    at: times,
    title: (play) => titles[title[play]],
    nth,
    action: (play) => actions[action[play]],
  };
}

for (const [number, rating, at] of shelves.ratings) {
  if (typeof number === "number") Object.assign(titles[number], { rating, ratedAt: at });
}

// The episodes of a show are those that were watched: others are here because of a rating or a list.
for (const title of titles) {
  const show = title.show;
  if (show && title.type === "episode" && title.plays.length) (show.episodes ??= []).push(title);
}
for (const title of titles) {
  title.watches = title.type === "show"
    ? (title.episodes ?? []).flatMap((episode) => episode.plays).sort((a, b) => a - b)
    : title.plays;
  title.again = title.type === "show"
    ? (title.episodes ?? []).reduce((sum, e) => sum + Math.max(0, e.plays.length - 1), 0)
    : Math.max(0, title.plays.length - 1);
  title.last = title.watches.length ? plays.at[title.watches.at(-1)] : NaN;
}

// Plays of which Trakt does not tell the title share one that has no number and counts as none.
const watched = (type) => titles.filter((title) =>
  title.type === type && title.watches.length && title.id !== "0");

// --- Words ---------------------------------------------------------------------------------

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const NAMES = { movie: "film", show: "show", season: "season", episode: "episode" };

const number = (value) => value.toLocaleString("en");
const counted = (value, noun, several = `${noun}s`) =>
  `${number(value)} ${value === 1 ? noun : several}`;
const two = (value) => String(value).padStart(2, "0");

const narrow = matchMedia("(max-width: 40rem)");

// Times are minutes since 1970 as the clock on the wall showed them, so UTC does no sums here.
const date = (minutes) => new Date(minutes * 60000);
const yearOf = (minutes) => Number.isNaN(minutes) ? UNKNOWN : date(minutes).getUTCFullYear();
const clockTime = (minutes) => `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;

function dayName(minutes) {
  const day = date(minutes);
  const weekday = DAYS[day.getUTCDay()];
  return `${narrow.matches ? weekday.slice(0, 3) : weekday}, ${shortDay(minutes, MONTHS[day.getUTCMonth()])}`;
}

function shortDay(minutes, month = null) {
  if (minutes == null || Number.isNaN(minutes)) return "Unknown date";
  const day = date(minutes);
  return `${day.getUTCDate()} ${month ?? MONTHS[day.getUTCMonth()].slice(0, 3)} ${day.getUTCFullYear()}`;
}

function monthName(minutes) {
  if (Number.isNaN(minutes)) return "Unknown date";
  return `${MONTHS[date(minutes).getUTCMonth()]} ${date(minutes).getUTCFullYear()}`;
}

const ownName = (title) => title.title ?? (title.type === "season" ? seasonName(title.season)
  : title.type === "episode" && title.number != null ? `Episode ${title.number}`
  : `Untitled ${NAMES[title.type]}`);
const seasonName = (season) => season === 0 ? "Specials" : season == null ? "Unknown season"
  : `Season ${season}`;
const place = (title) => title.season == null || title.number == null ? ""
  : `S${title.season} E${title.number}`;

// What stands in the first and in the second line of a row.
function lines(title) {
  const show = title.show ? ownName(title.show) : null;
  if (title.type === "episode") {
    const second = [place(title), title.title].filter(Boolean).join(" · ");
    return show ? [show, second || ownName(title)] : [ownName(title), place(title)];
  }
  if (title.type === "season") return [show ?? ownName(title), seasonName(title.season)];
  return [ownName(title), title.year == null ? "" : String(title.year)];
}

const minutesOf = (title) => title.runtime ?? title.show?.runtime ?? 0;

const NEARLY_ALL = 0.95;

// How long plays took, as in "1,204" or "at least 12"; null where hardly a runtime is known.
function hours(list) {
  let [sum, known] = [0, 0];
  for (const play of list) {
    const minutes = minutesOf(plays.title(play));
    sum += minutes;
    if (minutes > 0) known++;
  }
  const told = Math.round(sum / 60);
  if (!told) return null;
  return known >= list.length * NEARLY_ALL ? number(told) : `at least ${number(told)}`;
}

const inHours = (list) => {
  const told = hours(list);
  return told && `${told} ${told.endsWith(" 1") || told === "1" ? "hour" : "hours"}`;
};

const addressOf = (title) => `#/title/${encodeURIComponent(title.key)}`;
