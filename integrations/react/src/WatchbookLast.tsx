import { useEffect, useState, type CSSProperties, type ReactNode } from "react";
import { addressOf, type Answer, type Now, type Play } from "./data";
import { useWatchbook } from "./useWatchbook";
import "./style.css";

export type Layout = "line" | "card" | "wall";

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
export type Texts = typeof TEXTS;

export interface WatchbookLastProps {
  /** The address of the Watchbook: `https://watch.example.com`. */
  home: string;
  /** Whose plays; without it the owner's. A wall needs it. */
  account?: string;
  layout?: Layout;
  theme?: "auto" | "light" | "dark";
  /** For dates, as BCP 47. */
  locale?: string;
  /** How many posters a wall has. */
  limit?: number;
  /** Words in another language. */
  texts?: Partial<Texts>;
  /** The answer as a server has fetched it, for the first paint. */
  initial?: Answer;
  className?: string;
}

/** The moment it is, told by the browser only: a server does not know whose clock counts. */
function useNow(): Date | null {
  const [now, setNow] = useState<Date | null>(null);
  useEffect(() => {
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** How long ago `then` was, the way people say it; the day alone while nobody's clock is known. */
function ago(then: Date, now: Date | null, locale: string): string {
  if (!now) return then.toLocaleDateString(locale, { dateStyle: "long", timeZone: "UTC" });
  const noon = (day: Date) => new Date(day.getFullYear(), day.getMonth(), day.getDate(), 12);
  const minutes = Math.round((then.getTime() - now.getTime()) / 60_000);
  const days = Math.round((noon(then).getTime() - noon(now).getTime()) / 86_400_000);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (minutes >= 0) return words.format(0, "second");
  if (minutes > -60) return words.format(minutes, "minute");
  if (days === 0) return words.format(Math.round(minutes / 60), "hour");
  if (days > -7) return words.format(days, "day");
  return then.toLocaleDateString(locale, { dateStyle: "long" });
}

const moment = (text?: string | null): Date | null => {
  const found = new Date(text ?? NaN);
  return Number.isNaN(found.getTime()) ? null : found;
};

const web = (address?: string | null) => (/^https?:\/\//i.test(address ?? "") ? address! : undefined);

function When({ at, locale, now }: { at: Date; locale: string; now: Date | null }) {
  return (
    <time className="watchbook-when" dateTime={at.toISOString()} lang={locale}>
      {ago(at, now, locale)}
    </time>
  );
}

function Poster({ title, poster, colour }: { title: string; poster?: string | null; colour?: string | null }) {
  const [broken, setBroken] = useState<string>();
  const src = web(poster);
  const known = /^#[0-9a-f]{6}$/i.test(colour ?? "");
  return (
    <span
      className="watchbook-poster"
      aria-hidden="true"
      style={known ? ({ "--_colour": colour } as CSSProperties) : undefined}
    >
      {src && src !== broken ? (
        <img src={src} alt="" loading="lazy" decoding="async" onError={() => setBroken(src)} />
      ) : (
        [...title][0]?.toUpperCase()
      )}
    </span>
  );
}

function Link({ to, className, children }: { to: string | null; className: string; children: ReactNode }) {
  const href = web(to);
  if (!href) return <span className={className}>{children}</span>;
  return (
    <a className={className} href={href} rel="noopener">
      {children}
    </a>
  );
}

// In TMDB's own words, so in no other language.
const NOTICE = "This product uses the TMDB API but is not endorsed or certified by TMDB.";

/** Whose the picture in a line is; there is no room for more. */
function Credit({ of }: { of: Play | Now }) {
  if (of.poster_source === null) return null;
  const trakt = of.poster_source === "trakt";
  const [name, href] = trakt ? ["Trakt", "https://trakt.tv/"] : ["TMDB", "https://www.themoviedb.org/"];
  return (
    <a className="watchbook-note" href={href} title={trakt ? undefined : NOTICE} rel="noopener">
      {name}
    </a>
  );
}

/** "Severance, season 2 episode 7, Chikhai Bardo". */
function sentence(one: Play | Now, words: Texts): string {
  const place =
    one.season != null && one.episode != null
      ? `${words.season} ${one.season} ${words.episode} ${one.episode}`
      : "";
  const own = (one.subtitle ?? "").replace(/^S\d+ E\d+( · )?/, "");
  return [one.title, place, own].filter(Boolean).join(", ");
}

/** What somebody watched last: one play, or a wall of posters. */
export function WatchbookLast(props: WatchbookLastProps) {
  const { home, account, layout = "card", theme = "auto", locale = "en", limit = 12 } = props;
  const words = { ...TEXTS, ...props.texts };
  const url = addressOf(home, account, layout === "wall" ? limit : undefined);
  const { state, answer, stale, refresh } = useWatchbook({ url, initial: props.initial });
  const now = useNow();
  const asOf = moment(answer?.as_of);
  const note = stale && asOf && (
    <span className="watchbook-note">
      {words.asOf} <When at={asOf} locale={locale} now={now} />
    </span>
  );
  const source = answer?.attribution ?? words.source;
  const frame = (label: string, inside: ReactNode) => (
    <div
      className={["watchbook", `watchbook-${layout}`, props.className].filter(Boolean).join(" ")}
      data-theme={theme}
      data-state={state}
      role="group"
      aria-label={label}
      aria-busy={state === "loading"}
    >
      {inside}
    </div>
  );

  if (state !== "loaded" || !answer) {
    const word = state === "loading" ? words.loading : words[state === "failed" ? "failed" : "empty"];
    return frame(
      state === "loading" ? words.loading : words.last,
      <>
        {layout !== "wall" && <span className="watchbook-poster" aria-hidden="true" />}
        <span className="watchbook-text">
          {state === "loading" ? <span className="watchbook-bone" /> : word}
          {state === "failed" && (
            <button type="button" onClick={refresh}>
              {words.again}
            </button>
          )}
        </span>
      </>,
    );
  }

  if (layout === "wall") {
    const items = answer.items ?? [answer as Play];
    return frame(
      words.wall,
      <>
        <p className="watchbook-label">{words.wall}</p>
        <ul>
          {items.map((one, place) => {
            const at = moment(one.watched_at);
            return (
              <li key={`${place} ${one.watched_at} ${one.title}`}>
                <Link to={one.url} className="watchbook-item">
                  <Poster {...one} />
                  <span className="watchbook-title">{one.title}</span>
                  <span className="watchbook-subtitle">{one.subtitle}</span>
                  {at && <When at={at} locale={locale} now={now} />}
                </Link>
              </li>
            );
          })}
        </ul>
        {note} <span className="watchbook-note">{`${source} ${NOTICE}`}</span>
      </>,
    );
  }

  const last = (answer.items?.[0] ?? answer) as Play;
  const on = answer.now && !(now && (moment(answer.now.expires_at) ?? now) < now) ? answer.now : null;
  const one = on ?? last;
  const at = on ? null : moment(last.watched_at);
  const label = on ? words.now : words.last;
  const said = [sentence(one, words), at && ago(at, now, locale)].filter(Boolean).join(", ");
  return frame(
    `${label}: ${said}`,
    <>
      <Poster {...one} />
      <span className="watchbook-text">
        <span className="watchbook-label">{label}</span>{" "}
        <Link to={one.url} className="watchbook-title">
          {one.title}
        </Link>{" "}
        {one.subtitle && <span className="watchbook-subtitle">{one.subtitle}</span>}{" "}
        {at && <When at={at} locale={locale} now={now} />} {note}{" "}
        {layout === "line" ? <Credit of={one} /> : <span className="watchbook-note">{source}</span>}
      </span>
    </>,
  );
}
