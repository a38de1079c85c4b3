/** What a Watchbook tells, and where. The keys are explained in docs/how-to/widget.md. */

interface Title {
  type: "movie" | "episode";
  title: string;
  subtitle: string;
  year: number | null;
  season: number | null;
  episode: number | null;
  url: string | null;
  poster: string | null;
  colour?: string | null;
  /** Whose the poster is; null for a drawn one. */
  poster_source?: "tmdb" | "trakt" | null;
}

/** A film or an episode that was watched. */
export interface Play extends Title {
  watched_at: string | null;
}

/** What is being watched at this moment. */
export interface Now extends Title {
  started_at: string;
  expires_at: string;
  progress: number | null;
}

/** The answer of `/api/trakt/last` (one play), or of `/api/v1/accounts/NAME/last` (`items`). */
export type Answer = Partial<Play> & {
  ok: boolean;
  items?: Play[];
  now?: Now | null;
  as_of?: string | null;
  stale?: boolean;
  reason?: string | null;
  account?: string;
  attribution?: string;
};

/** The address of the data: several plays of an account, or the last one of it (else the owner's). */
export function addressOf(home: string, account?: string, several?: number): string {
  const base = home.endsWith("/") ? home : `${home}/`;
  if (several && account) {
    return `${base}api/v1/accounts/${encodeURIComponent(account)}/last?limit=${several}`;
  }
  return `${base}api/trakt/last${account ? `?account=${encodeURIComponent(account)}` : ""}`;
}
