// Statistics: bars as drawings for the eye, and the same figures as tables.

// `bars` are [label, [values…]]; `series` are [name, class] for each of the values.
function barChart(heading, series, bars, { broad = false, column = "Year" } = {}) {
  const most = Math.max(1, ...bars.map(([, values]) => values.reduce((a, b) => a + b, 0)));
  const drawing = svg("svg", { "aria-hidden": "true", height: 190 });
  const figure = el("figure", { class: `chart${broad ? " broad" : ""}` },
    el("h3", {}, heading),
    series.length > 1 && el("p", { class: "key" }, series.map(([name, kind]) => el("span", { class: kind }, name))),
    drawing, el("details", {}, el("summary", {}, "As a table"), table(column, series, bars)));
  charts.push(() => draw(drawing, series, bars, most));
  return figure;
}

let charts = [];
addEventListener("resize", () => charts.forEach((redraw) => redraw()));

function draw(drawing, series, bars, most) {
  const [width, height, below] = [drawing.clientWidth || 300, 160, 20];
  const step = width / bars.length;
  const thick = Math.max(1, Math.min(44, step * 0.72));
  const every = Math.ceil(40 / step);
  const roomy = step > number(most).length * 7 + 4;
  drawing.setAttribute("viewBox", `0 0 ${width} 190`);
  drawing.replaceChildren(svg("line", { x1: 0, x2: width, y1: height + 0.5, y2: height + 0.5 }));
  bars.forEach(([label, values], i) => {
    let y = height;
    const middle = step * (i + 0.5);
    values.forEach((value, kind) => {
      const tall = (value / most) * (height - below);
      y -= tall;
      drawing.append(svg("rect", { class: `bar ${series[kind][1]}`, x: middle - thick / 2, y, width: thick, height: tall },
        svg("title", {}, `${label}: ${number(value)} ${series[kind][0]}`)));
    });
    const sum = values.reduce((a, b) => a + b, 0);
    const anchor = { x: middle, "text-anchor": "middle" };
    if (sum && roomy) drawing.append(svg("text", { ...anchor, y: y - 5 }, number(sum)));
    if (i % every === 0) drawing.append(svg("text", { ...anchor, y: height + 17 }, label));
  });
}

function table(column, series, bars) {
  return el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, column), series.map(([name]) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, bars.map(([label, values]) => el("tr", {}, el("th", { scope: "row" }, label),
      values.map((value) => el("td", {}, number(value)))))));
}

const SERIES = [["films", "films"], ["episodes", "episodes"]];

// Bars of plays, counted by whatever `slot` says of a play.
function tally(list, labels, slot) {
  const bars = labels.map((label) => [String(label), [0, 0]]);
  for (const play of list) {
    const bar = bars[slot(play)];
    if (bar) bar[1][plays.title(play).type === "movie" ? 0 : 1]++;
  }
  return bars;
}

function ranking(heading, list, of, limit = 10) {
  const sums = new Map();
  for (const play of list) {
    const title = of(plays.title(play));
    if (title) sums.set(title, (sums.get(title) ?? 0) + 1);
  }
  const top = [...sums].sort((a, b) => b[1] - a[1] || byName(a[0], b[0])).slice(0, limit);
  if (!top.length) return null;
  return el("section", { class: "chart" }, el("h3", {}, heading), el("ol", { class: "ranking" },
    top.map(([title, plays]) => el("li", {}, el("a", { href: addressOf(title), dir: "auto" }, ownName(title)),
      el("span", {}, counted(plays, "play"))))));
}

// The years between the first and the last, at most 120 of them.
function span(first, last) {
  const count = first == null ? 0 : Math.min(120, last - first + 1);
  return Array.from({ length: count }, (_, i) => last - count + 1 + i);
}

const short = (names) => names.map((name) => name.slice(0, 3));
const range = (from, count) => Array.from({ length: count }, (_, i) => from + i);

function playCharts(dated, years, year) {
  const months = year ? `Plays by month in ${year}` : "Plays by month, all years";
  const chart = (heading, column, labels, slot, broad = false) =>
    barChart(heading, SERIES, tally(dated, labels, (play) => slot(plays.at[play])), { broad, column });
  return [
    !year && years.length > 0 && chart("Plays by year", "Year", years, (at) => yearOf(at) - years[0], true),
    chart(months, "Month", short(MONTHS), (at) => date(at).getUTCMonth(), Boolean(year)),
    chart("Plays by day of the week", "Day", short([...DAYS.slice(1), DAYS[0]]), (at) => (date(at).getUTCDay() + 6) % 7),
    chart("Plays by hour", "Hour", range(0, 24), (at) => date(at).getUTCHours()),
  ];
}

function ratingChart(year) {
  const given = shelves.ratings.filter(([, , at]) => !year || String(yearOf(at ?? NaN)) === year);
  const bars = range(1, 10).map((stars) => [String(stars), [given.filter((each) => each[1] === stars).length]]);
  return barChart(`Ratings${year ? ` given in ${year}` : ""}`, [["ratings", "ratings"]], bars, { column: "Rating" });
}

function statisticsView(main) {
  const all = range(0, plays.count);
  const dated = all.filter((play) => !Number.isNaN(plays.at[play]));
  const years = dated.map((play) => yearOf(plays.at[play]));
  const fields = [{ name: "year", label: "Year", choices: yearChoices(years) }];
  return filtered(main, () => headed("Statistics"), "statistics", fields, (params) => {
    charts = [];
    const year = params.get("year");
    const chosen = year ? dated.filter((_, i) => String(years[i]) === year) : dated;
    const list = year ? chosen : all;
    const node = el("div", { class: "charts" }, [
      ...playCharts(chosen, span(years[0], years.at(-1)), year),
      ratingChart(year),
      ranking("Shows watched most", list, (title) => title.show),
      ranking("Films watched most", list, (title) => title.type === "movie" ? title : null),
    ].filter(Boolean));
    requestAnimationFrame(() => charts.forEach((redraw) => redraw()));
    return { words: [counted(list.length, "play"), inHours(list)].filter(Boolean).join(", "), node };
  });
}
