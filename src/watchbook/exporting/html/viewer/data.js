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

for (const title of titles) {
  const show = title.show;
  if (show && title.type === "episode") (show.episodes ??= []).push(title);
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

function shortDay(minutes, month = MONTHS[date(minutes).getUTCMonth()].slice(0, 3)) {
  if (minutes == null || Number.isNaN(minutes)) return "Unknown date";
  const day = date(minutes);
  return `${day.getUTCDate()} ${month} ${day.getUTCFullYear()}`;
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

function hours(list) {
  let sum = 0;
  for (const play of list) sum += minutesOf(plays.title(play));
  return Math.round(sum / 60);
}

const addressOf = (title) => `#/title/${encodeURIComponent(title.key)}`;
