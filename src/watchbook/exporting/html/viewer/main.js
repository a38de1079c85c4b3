// What is shown follows the address behind the #, so that links and the back button just work.

const main = document.getElementById("main");
const views = { history: historyView, films: filmsView, shows: showsView, ratings: ratingsView,
  lists: listsView, notes: notesView, statistics: statisticsView, title: titleView };
const scrolled = new Map(); // how far down each address was left
let current = null;
let fresh = true; // whether a link led here, and not the way back

function keepAddress(path, params) {
  const query = params.toString();
  current = `#/${path}${query ? `?${query}` : ""}`;
  history.replaceState(null, "", current);
}

function route() {
  if (location.hash && !location.hash.startsWith("#/")) return;
  current = location.hash || "#/history";
  const [path, query] = current.slice(2).split("?");
  const [name, argument] = path.split("/");
  if (!Object.hasOwn(views, name)) {
    history.replaceState(null, "", "#/history");
    route();
    return;
  }
  charts = [];
  shown = [];
  views[name](main, argument && decode(argument))(new URLSearchParams(query ?? ""));
  announce(name);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function announce(name) {
  const heading = main.querySelector("h2");
  document.title = `${heading.textContent.slice(0, 80)} – Watchbook of ${about.who}`;
  for (const link of document.querySelectorAll("#tabs a")) {
    const here = link.hash === `#/${name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function moved() {
  route();
  main.querySelector("h2").focus({ preventScroll: true });
  const tabs = document.getElementById("tabs");
  const usual = scrollY > tabs.offsetTop ? tabs.offsetTop : scrollY;
  scrollTo(0, fresh ? usual : scrolled.get(current) ?? usual);
  fresh = false;
  for (const list of shown) list.draw();
}

// --- Once, at the start --------------------------------------------------------------------

function totals() {
  const all = range(0, plays.count);
  const seen = (type) => number(watched(type).length);
  const rows = [["plays", number(plays.count)], ["films", seen("movie")], ["shows", seen("show")],
    ["episodes", seen("episode")], ["hours", hours(all)]].filter(([, value]) => value != null);
  document.getElementById("totals").append(...rows.map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function theme() {
  const choice = document.getElementById("theme");
  let kept = null;
  try { kept = localStorage.getItem("watchbook-theme"); } catch { /* a browser may refuse to remember */ }
  const apply = (value) => {
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  };
  const input = [...choice.querySelectorAll("input")].find((each) => each.value === kept);
  if (input) {
    input.checked = true;
    apply(kept);
  }
  choice.addEventListener("change", (event) => {
    apply(event.target.value);
    try { localStorage.setItem("watchbook-theme", event.target.value); } catch { /* likewise */ }
  });
  choice.hidden = false;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link?.classList.contains("skip")) {
    event.preventDefault();
    main.focus();
    main.scrollIntoView();
  } else if (link?.hash.startsWith("#/")) {
    scrolled.set(current, scrollY);
    fresh = true;
  }
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = main.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});
addEventListener("scroll", () => { if (!fresh) scrolled.set(current, scrollY); }, { passive: true });
addEventListener("hashchange", moved);
history.scrollRestoration = "manual";
totals();
theme();
document.getElementById("tabs").hidden = false;
route();
fresh = false;
setTimeout(foldAll, 300);
