/* <watchbook-last>: the last film or episode somebody watched, on any page. No framework, no build
 * step; docs/how-to/widget.md tells how to use it. Titles are other people's texts: they become
 * text nodes and nothing else, and no address is followed that does not begin with http.
 */
(() => {
  "use strict";
  // A server that renders pages has no elements; nor is a name defined twice.
  if (typeof HTMLElement === "undefined" || customElements.get("watchbook-last")) return;

  const MINUTE = 60_000;
  const EVERY = 5 * MINUTE;
  const FIRST_RETRY = MINUTE / 2;
  const LONGEST_RETRY = 60 * MINUTE;
  const PATIENCE = MINUTE / 3;

  // A module has no currentScript, but any error tells which file it was made in.
  const HERE =
    document.currentScript?.src ||
    /https?:[^\s()@]+(?=:\d+:\d+)/.exec(Error().stack)?.[0] ||
    document.baseURI;

  const TEXTS = {
    last: "Last watched",
    now: "Watching now",
    wall: "Recently watched",
    season: "season",
    episode: "episode",
    asOf: "As of",
    loading: "Loading what was watched last",
    empty: "Nothing to show yet.",
    failed: "What was watched last could not be loaded.",
    again: "Try again",
    source: "Titles by Trakt; pictures by TMDB and Trakt.",
  };

  const CSS = `
:host {
  --_muted: var(--watchbook-muted, color-mix(in srgb, currentColor 75%, transparent));
  --_bone: color-mix(in srgb, currentColor 13%, transparent);
  --_accent: var(--watchbook-accent, light-dark(#b3251e, #ff8e80));
  --_radius: var(--watchbook-radius, 14px);
  --_gap: var(--watchbook-gap, 16px);
  --_wide: var(--watchbook-poster-width, 92px);
  color-scheme: light dark;
  display: block;
  max-inline-size: var(--watchbook-width, 26rem);
  color: var(--watchbook-text, light-dark(#1b1d22, #f2f2ef));
  font: var(--watchbook-font, 400 1rem/1.4 system-ui, sans-serif);
  overflow-wrap: anywhere;
}
:host([hidden]) { display: none }
:host([theme="light"]) { color-scheme: light }
:host([theme="dark"]) { color-scheme: dark }
:host([layout="line"]) { display: inline-block; max-inline-size: 100%; font: var(--watchbook-font, inherit) }
:host([layout="wall"]) { max-inline-size: var(--watchbook-width, none); container-type: inline-size }
/* These two stand on the page's own ground, so they take its colour. */
:host(:is([layout="line"], [layout="wall"]):not([theme="light"], [theme="dark"])) {
  --_accent: var(--watchbook-accent, currentColor);
  color: var(--watchbook-text, inherit);
}
*, ::before, ::after { box-sizing: border-box }
[hidden] { display: none !important }
.root { position: relative }
a { color: inherit; text-decoration: none }
a.title:hover, a:hover .title { text-decoration: underline; text-underline-offset: .15em }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 3px; border-radius: 4px }
p, ul { margin: 0; padding: 0 }
.label { color: var(--_accent); font-size: .8125em; font-weight: 600 }
.title { font-weight: 650 }
.title, .subtitle { unicode-bidi: plaintext; text-align: match-parent }
.subtitle, .when, .note, .source { color: var(--_muted); font-size: .875em }
.poster {
  position: relative; display: block; overflow: hidden; flex: none; container-type: inline-size;
  aspect-ratio: 2 / 3; inline-size: var(--_wide); border-radius: calc(var(--_radius) * .5);
  background: color-mix(in srgb, var(--_colour, #6b7280) 40%, #14161c) center / cover;
}
.poster::after {
  content: ""; position: absolute; inset: 0; border-radius: inherit;
  box-shadow: inset 0 0 0 1px rgb(128 128 128 / .3)
}
.image { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover }
.initial {
  position: absolute; inset: 0; display: grid; place-content: center; overflow: hidden;
  color: #fff; font-size: 44cqi; font-weight: 300; line-height: 1
}
.card {
  display: flex; gap: var(--_gap); align-items: center; padding: var(--_gap);
  min-block-size: calc(var(--_wide) * 1.5 + 2 * var(--_gap) + 2px);
  background: var(--watchbook-surface, light-dark(#fff, #1a1c21));
  border: 1px solid var(--watchbook-border, light-dark(#dfe1e6, #34373f));
  border-radius: var(--_radius)
}
.text { display: grid; gap: .15em; min-inline-size: 0; flex: 1 }
.card .title { font-size: 1.1875em; line-height: 1.25; text-wrap: balance }
.card a.title::after { content: ""; position: absolute; inset: 0; border-radius: var(--_radius) }
.card a.title:focus-visible { outline: 0 }
.card a.title:focus-visible::after { outline: 2px solid var(--_accent); outline-offset: 3px }
.card :is(.title, .subtitle), li :is(.title, .subtitle) {
  display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2
}
.line .poster {
  display: inline-block; inline-size: 1.2em; margin-inline-end: .5em; vertical-align: -.5em;
  border-radius: 3px
}
.line :is(.text, .foot) { display: inline }
.line :is(.label, .title, .subtitle, .when, .message) { font-size: 1em; margin-inline-end: .3em }
.line .label { color: var(--_muted); font-weight: inherit }
.line .note { font-size: .875em }
.line .source { text-decoration: underline }
.line .foot:not(:empty)::before { content: "· "; color: var(--_muted) }
.wall .label { margin-block-end: .75em; font-size: 1em }
.foot { display: flex; flex-wrap: wrap; gap: 0 .75em; align-items: baseline }
.note, .source { font-size: .75em }
.wall .foot { margin-block-start: 1em }
progress {
  inline-size: 100%; block-size: 4px; margin-block-start: .4em; border: 0; border-radius: 2px;
  overflow: hidden; appearance: none; background: var(--_bone); accent-color: var(--_accent)
}
::-webkit-progress-bar { background: var(--_bone) }
::-webkit-progress-value { background: var(--_accent) }
::-moz-progress-bar { background: var(--_accent) }
.line progress { display: none }
ul {
  display: grid; gap: calc(var(--_gap) * 1.25) var(--_gap); list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(var(--watchbook-poster-width, 124px), 28cqi), 1fr))
}
li { min-inline-size: 0 }
li a, li time { display: block }
li .poster { inline-size: 100%; margin-block-end: .5em; transition: translate .2s, box-shadow .2s }
li a:hover .poster { translate: 0 -3px; box-shadow: 0 8px 20px rgb(0 0 0 / .25) }
li .title { font-size: .875em; line-height: 1.3 }
li :is(.subtitle, .when) { font-size: .8125em; line-height: 1.35 }
.bone {
  display: block; block-size: .85em; margin-block: .3em; border-radius: 4px; background: var(--_bone)
}
.bone + .bone { inline-size: 60% }
.wall > .bone { inline-size: 9em; block-size: 1em; margin-block: .2em .95em }
.wall > ul + .bone { block-size: .75em; margin-block: 1.1em 0 }
.line .bone { display: inline-block; inline-size: 14em; margin: 0 }
.poster:empty { background: var(--_bone) }
.wait, .bone { animation: breathe 1.6s ease-in-out infinite alternate }
button {
  font: inherit; font-size: .875em; color: inherit; background: none; cursor: pointer;
  min-block-size: 24px; padding: .3em .9em; border: 1px solid var(--_muted); border-radius: 99px
}
button:hover { border-color: currentColor; background: var(--_bone) }
.text button { justify-self: start; margin-block-start: .5em }
.line button { padding-block: 0 }
.live::before {
  content: ""; display: inline-block; inline-size: .55em; block-size: .55em;
  margin-inline-end: .45em; border-radius: 50%; background: currentColor;
  animation: breathe 1.2s ease-in-out infinite alternate
}
@keyframes breathe { to { opacity: .45 } }
@media (prefers-reduced-motion: reduce) {
  *, ::before { animation: none !important; transition: none !important }
  li a:hover .poster { translate: none }
}
@media (forced-colors: active) {
  .poster { border: 1px solid CanvasText }
  .wait, .bone { border: 1px solid GrayText }
  .live::before { background: Highlight; forced-color-adjust: none }
}`;

  let sheet;
  const styles = () => {
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(CSS);
    return sheet;
  };

  /** An element with classes (which are its parts, too), properties and children; null is left out. */
  const make = (tag, names = "", props = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), props);
    if (names) {
      made.className = names;
      made.part = names;
    }
    made.append(...inside.filter((one) => one || one === 0));
    return made;
  };

  const text = (value) => (value == null ? "" : String(value));

  // In TMDB's own words, so in no other language.
  const NOTICE = "This product uses the TMDB API but is not endorsed or certified by TMDB.";

  /** `address` if it leads to the web, as seen from `base`; else nothing. */
  const web = (address, base) => {
    try {
      const found = new URL(text(address), base);
      return address && /^https?:$/.test(found.protocol) ? found.href : "";
    } catch {
      return "";
    }
  };

  /** How long ago `then` was, the way people say it: by the hour today, by the day this week. */
  const ago = (then, locale) => {
    const today = new Date();
    const minutes = Math.round((then - today) / MINUTE);
    const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate(), 12);
    const days = Math.round((midnight(then) - midnight(today)) / (24 * 60 * MINUTE));
    const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    if (minutes >= 0) return words.format(0, "second");
    if (minutes > -60) return words.format(minutes, "minute");
    if (days === 0) return words.format(Math.round(minutes / 60), "hour");
    if (days > -7) return words.format(Math.min(days, 0), "day");
    const year = then.getFullYear() === today.getFullYear() ? undefined : "numeric";
    return then.toLocaleDateString(locale, { day: "numeric", month: "long", year });
  };

  /** What is being watched at this moment, if anything. */
  const going = ({ now }) => (now && !(new Date(now.expires_at ?? NaN) < new Date()) ? now : null);

  const progress = (now) =>
    now.progress > 0 && make("progress", "progress", { value: now.progress, ariaHidden: "true" });

  class WatchbookLast extends HTMLElement {
    static observedAttributes = ["src", "account", "layout", "theme", "locale", "limit", "texts"];

    #root = this.attachShadow({ mode: "open" });
    #states = this.attachInternals?.().states;
    #state = "loading";
    #data = null;
    #told = "";
    #asked = "";
    #owner = "";
    #stale = false;
    #failures = 0;
    #timer;
    #due = 0;
    #asking;
    #queued = false;

    connectedCallback() {
      this.#root.adoptedStyleSheets = [styles()];
      document.addEventListener("visibilitychange", this.#onSight);
      window.addEventListener("online", this.#onLine);
      this.#follow();
      this.#onSight();
    }

    disconnectedCallback() {
      document.removeEventListener("visibilitychange", this.#onSight);
      window.removeEventListener("online", this.#onLine);
      this.#pause();
    }

    attributeChangedCallback(name, old, value) {
      if (name === "src" || name === "account") this.#owner = "";
      if (old === value || !this.isConnected || this.#queued) return;
      // Several attributes that change together are one change.
      this.#queued = true;
      queueMicrotask(() => {
        this.#queued = false;
        if (this.isConnected && this.#follow()) this.#onSight();
      });
    }

    /** Draw as the attributes say, and nothing of what lies elsewhere by now; whether it does. */
    #follow() {
      const moved = this.#address !== this.#asked;
      if (moved) {
        this.#data = null;
        this.#told = "";
        this.#due = 0;
        this.#show("loading");
      } else this.#draw();
      return moved;
    }

    /** Ask now; what is shown stays until the answer is there. */
    async refresh() {
      this.#pause();
      this.#due = 0;
      const asking = (this.#asking = new AbortController());
      const patience = setTimeout(() => asking.abort(), PATIENCE);
      try {
        this.#asked = this.#address;
        if (!this.#asked) throw Error("src is no address");
        let away = false;
        const ask = (cache) =>
          fetch(this.#asked, { cache, signal: asking.signal, credentials: "omit" });
        // Asked each time, which costs a 304; when nobody answers, what the browser has kept is shown.
        const answer = await ask("no-cache").catch((reason) => {
          if (this.#data || asking.signal.aborted) throw reason;
          away = true;
          return ask("force-cache");
        });
        // What is not public is as if there were nothing.
        const told = answer.status === 404 ? '{"ok":false}' : await answer.text();
        if (!answer.ok && answer.status !== 404) throw Error(`HTTP ${answer.status}`);
        this.#take(told);
        if (away) throw Error("away");
      } catch (reason) {
        if (asking !== this.#asking) return;
        this.#failures += 1;
        this.#stale = true;
        this.#told = "";
        this.#show(this.#data ? "loaded" : "failed");
        this.#tell("failed", { reason: text(reason?.message) });
      } finally {
        clearTimeout(patience);
      }
      if (asking === this.#asking) this.#plan();
    }

    get #layout() {
      const wanted = this.getAttribute("layout");
      return wanted === "line" || wanted === "wall" ? wanted : "card";
    }

    get #limit() {
      return Math.max(1, Math.min(Math.floor(this.getAttribute("limit")) || 12, 50));
    }

    get #locale() {
      try {
        const wanted = this.getAttribute("locale") || "en";
        return Intl.getCanonicalLocales(wanted)[0];
      } catch {
        return "en";
      }
    }

    get #texts() {
      try {
        return { ...TEXTS, ...JSON.parse(this.getAttribute("texts") || "{}") };
      } catch {
        return TEXTS;
      }
    }

    /** Where the data is: `src`, or the usual place at the Watchbook that `src` (else the script) is of. */
    get #address() {
      const src = this.getAttribute("src");
      const found = web(src || ".", HERE);
      if (!found) return "";
      const home = new URL(found);
      const whole = src && !home.pathname.endsWith("/");
      if (whole) return found;
      const account = this.getAttribute("account");
      const whose = this.#layout === "wall" && (account || this.#owner);
      const path = whose ? `api/v1/accounts/${encodeURIComponent(whose)}/last` : "api/trakt/last";
      const usual = new URL(path, home);
      if (whose) usual.searchParams.set("limit", this.#limit);
      else if (account) usual.searchParams.set("account", account);
      return usual.href;
    }

    #onSight = () => {
      if (document.hidden) this.#pause();
      else if (Date.now() >= this.#due) this.refresh();
      else this.#wait();
    };

    #onLine = () => {
      if (this.#failures && !document.hidden) this.refresh();
    };

    /** Neither ask nor wait. */
    #pause() {
      clearTimeout(this.#timer);
      const asking = this.#asking;
      this.#asking = undefined;
      asking?.abort();
    }

    /** When to ask again: every five minutes; after failures soon, then less and less often. */
    #plan() {
      const retry = Math.min(FIRST_RETRY * 2 ** (this.#failures - 1), LONGEST_RETRY);
      // Not all pages of the world at the same moment.
      this.#due = Date.now() + (this.#failures ? retry : EVERY) * (1 + Math.random() / 10);
      if (!document.hidden) this.#wait();
    }

    #wait() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), this.#due - Date.now());
    }

    #take(told) {
      const data = JSON.parse(told);
      // Its database is away: that nothing is known does not say that nothing was watched.
      if (!data.ok && data.stale && !data.account) throw Error(data.reason);
      if (!data.items && data.account && !this.#owner) {
        // Only now it is known whose a wall would be; of data that is somewhere else, this is all.
        this.#owner = data.account;
        if (this.#address !== this.#asked) return this.refresh();
      }
      this.#failures = 0;
      this.#stale = data.stale === true;
      const same = told === this.#told && !data.now;
      this.#told = told;
      const some = data.items ? data.items.length > 0 : data.ok === true || going(data);
      this.#data = some ? data : null;
      if (same) this.#times();
      else this.#show(this.#data ? "loaded" : "empty");
      this.#tell("loaded", { data });
    }

    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(`watchbook:${name}`, { detail, bubbles: true }));
    }

    #show(state) {
      this.#state = state;
      this.#states?.clear();
      this.#states?.add(state);
      if (this.#stale && state === "loaded") this.#states?.add("stale");
      this.#draw();
    }

    #draw() {
      const focused = this.#root.activeElement;
      const drawn = this.#drawn();
      drawn.lang = this.getAttribute("texts") ? this.#locale : "en";
      this.#root.replaceChildren(drawn);
      this.#times();
      if (focused) drawn.querySelector("a, button")?.focus();
    }

    #drawn() {
      const layout = this.#layout;
      const words = this.#texts;
      if (this.#state === "loading" && this.childElementCount) {
        // What the page brings along stands until there is more to show.
        return make("div", "", {}, make("slot"));
      }
      const root = make("div", `root ${layout} ${this.#state}`, { role: "group" });
      root.ariaBusy = String(this.#state === "loading");
      if (this.#state === "loaded") {
        const items = this.#data.items ?? [this.#data];
        if (layout === "wall") this.#wall(root, items, words);
        else this.#single(root, items[0], words);
      } else {
        root.ariaLabel = words[this.#state === "loading" ? "loading" : "last"];
        root.append(...this.#bare(layout, words).filter(Boolean));
      }
      return root;
    }

    /** The states without anything to show; as large as the others, so that nothing moves. */
    #bare(layout, words) {
      const wait = this.#state === "loading";
      const bones = (count) => Array.from({ length: count }, () => make("span", "bone"));
      const poster = () => make("span", wait ? "poster wait" : "poster");
      if (layout === "wall" && wait) {
        const one = () => make("li", "", {}, poster(), ...bones(3));
        const list = Array.from({ length: this.#limit }, one);
        return [...bones(1), make("ul", "list", { ariaHidden: "true" }, ...list), ...bones(1)];
      }
      const inside = wait
        ? bones(layout === "line" ? 1 : 3)
        : [make("span", "message", {}, words[this.#state]), this.#state === "failed" && this.#again(words)];
      return [layout === "wall" ? "" : poster(), make("div", "text", {}, ...inside)];
    }

    #again(words) {
      return make("button", "again", { type: "button", onclick: () => this.refresh() }, words.again);
    }

    #single(root, item, words) {
      const now = going(item);
      const shown = now ?? item;
      const label = now ? words.now : words.last;
      root.ariaLabel = `${label}: ${this.#sentence(shown, words)}`;
      root.append(
        this.#poster(shown),
        make(
          "div",
          "text",
          {},
          make("span", now ? "label live" : "label", {}, label),
          this.#link(shown, "title", text(shown.title)),
          this.#subtitle(shown),
          now && progress(now),
          make("span", "foot", {}, !now && this.#time(shown), this.#note(words), this.#source(words, shown)),
        ),
      );
    }

    #wall(root, items, words) {
      root.ariaLabel = words.wall;
      const one = (item) => {
        const title = make("span", "title", {}, text(item.title));
        const inside = [this.#poster(item), title, this.#subtitle(item), this.#time(item)];
        return make("li", "item", {}, this.#link(item, "link", ...inside));
      };
      root.append(
        make("p", "label", {}, words.wall),
        make("ul", "list", {}, ...items.map(one)),
        make("p", "foot", {}, this.#note(words), this.#source(words)),
      );
    }

    #subtitle(item) {
      return item.subtitle && make("span", "subtitle", {}, text(item.subtitle));
    }

    #link(item, part, ...inside) {
      const href = web(item.url, this.#asked);
      return href ? make("a", part, { href, rel: "noopener" }, ...inside) : make("span", part, {}, ...inside);
    }

    /** The poster over its tiny likeness, or the title's initial on its colour. */
    #poster(item) {
      const initial = make("span", "initial", {}, [...text(item.title)][0]?.toUpperCase());
      const box = make("span", "poster", { ariaHidden: "true" }, initial);
      if (/^#[0-9a-f]{6}$/i.test(item.colour)) box.style.setProperty("--_colour", item.colour);
      const src = web(item.poster, this.#asked);
      if (!src) return box;
      if (/^data:image\/[\w+.-]+;base64,[\w+/=]+$/.test(item.tiny)) {
        box.style.backgroundImage = `url("${item.tiny}")`;
        initial.hidden = true;
      }
      const picture = make("img", "image", { alt: "", decoding: "async", loading: "lazy" });
      picture.onerror = () => {
        box.style.backgroundImage = "";
        initial.hidden = false;
        picture.remove();
      };
      picture.src = src;
      box.append(picture);
      return box;
    }

    #time(item) {
      const then = new Date(item.watched_at ?? NaN);
      if (Number.isNaN(+then)) return null;
      return make("time", "when", { dateTime: then.toISOString() });
    }

    /** How old it is, when it may be out of date. */
    #note(words) {
      const then = new Date(this.#data.as_of ?? NaN);
      if (!this.#stale || Number.isNaN(+then)) return "";
      const time = make("time", "", { dateTime: then.toISOString() });
      return make("span", "note", {}, `${words.asOf} `, time, " ");
    }

    /** Whom the data is from; a line has room for whose picture is in it, a wall for all. */
    #source(words, item) {
      if (this.#layout === "line") {
        const [name, href, title] =
          item.poster_source === "trakt"
            ? ["Trakt", "https://trakt.tv/", ""]
            : ["TMDB", "https://www.themoviedb.org/", NOTICE];
        return item.poster_source !== null && make("a", "source", { href, title, rel: "noopener" }, name);
      }
      const said = text(this.#data.attribution ?? words.source);
      return make("span", "source", {}, item ? said : `${said} ${NOTICE}`);
    }

    /** "Severance, season 2 episode 7, Chikhai Bardo, yesterday". */
    #sentence(item, words) {
      const then = new Date(item.watched_at ?? NaN);
      const place =
        item.season != null && item.episode != null
          ? `${words.season} ${item.season} ${words.episode} ${item.episode}`
          : "";
      const own = text(item.subtitle).replace(/^S\d+ E\d+( · )?/, "");
      const when = going(item) || Number.isNaN(+then) ? "" : ago(then, this.#locale);
      return [text(item.title), place, own, when].filter(Boolean).join(", ");
    }

    /** Writes all times as they are called at this moment. */
    #times() {
      for (const one of this.#root.querySelectorAll("time")) {
        const then = new Date(one.dateTime);
        const said = ago(then, this.#locale);
        if (one.textContent !== said) one.textContent = said;
        one.lang = this.#locale;
        one.title = then.toLocaleString(this.#locale, { dateStyle: "full", timeStyle: "short" });
      }
    }
  }

  customElements.define("watchbook-last", WatchbookLast);
})();
