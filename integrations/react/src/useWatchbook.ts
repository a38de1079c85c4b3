import { useCallback, useEffect, useRef, useState } from "react";
import type { Answer } from "./data";

const MINUTE = 60_000;
const EVERY = 5 * MINUTE;
const FIRST_RETRY = MINUTE / 2;
const LONGEST_RETRY = 60 * MINUTE;
const PATIENCE = MINUTE / 3;

export type State = "loading" | "loaded" | "empty" | "failed";

/** Where the data is, and what is known of it already (from a server that renders pages). */
export interface Source {
  url: string;
  initial?: Answer;
}

export interface Found {
  state: State;
  answer: Answer | null;
  /** Whether it may be out of date. */
  stale: boolean;
  /** Ask now. */
  refresh: () => void;
}

function stateOf(answer: Answer): State {
  if (answer.items) return answer.items.length > 0 ? "loaded" : "empty";
  return answer.ok || answer.now ? "loaded" : "empty";
}

/** Asks once, and gives the answer; what is not public is as if there were nothing. */
async function ask(url: string, signal: AbortSignal): Promise<Answer> {
  // Asked each time, which costs a 304: an answer from a day ago is of no use.
  const told = await fetch(url, { signal, cache: "no-cache", credentials: "omit" });
  if (told.status === 404) return { ok: false };
  if (!told.ok) throw new Error(`HTTP ${told.status}`);
  const answer: unknown = await told.json();
  if (!answer || typeof answer !== "object") throw new Error("no answer of a Watchbook");
  const { ok, stale, account, reason } = answer as Answer;
  // Its database is away: that nothing is known does not say that nothing was watched.
  if (!ok && stale && !account) throw new Error(reason ?? "nothing is known");
  return answer as Answer;
}

/** The data, asked for again every five minutes while the page is in sight. */
export function useWatchbook({ url, initial }: Source): Found {
  const [answer, setAnswer] = useState<Answer | null>(initial ?? null);
  const [failed, setFailed] = useState(false);
  const again = useRef<() => void>(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking: AbortController | undefined;
    let failures = 0;
    let due = 0;

    const pause = () => {
      clearTimeout(timer);
      asking?.abort();
      asking = undefined;
    };
    const wait = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(look, due - Date.now());
    };
    const look = async () => {
      pause();
      due = 0;
      const mine = (asking = new AbortController());
      const patience = setTimeout(() => mine.abort(), PATIENCE);
      try {
        const told = await ask(url, mine.signal);
        if (mine !== asking) return;
        failures = 0;
        setAnswer(told);
        setFailed(false);
      } catch {
        if (mine !== asking) return;
        failures += 1;
        setFailed(true);
      } finally {
        clearTimeout(patience);
      }
      const retry = Math.min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY);
      // Not all pages of the world at the same moment.
      due = Date.now() + (failures ? retry : EVERY) * (1 + Math.random() / 10);
      wait();
    };
    const onSight = () => {
      if (document.hidden) pause();
      else if (Date.now() >= due) void look();
      else wait();
    };

    again.current = () => void look();
    document.addEventListener("visibilitychange", onSight);
    onSight();
    return () => {
      document.removeEventListener("visibilitychange", onSight);
      pause();
    };
  }, [url]);

  // What was found at another address says nothing about this one.
  const [asked, setAsked] = useState(url);
  if (asked !== url) {
    setAsked(url);
    setAnswer(null);
    setFailed(false);
  }

  const refresh = useCallback(() => again.current(), []);
  const state = answer ? stateOf(answer) : failed ? "failed" : "loading";
  return { state, answer, stale: failed || answer?.stale === true, refresh };
}
