/* What the server writes behind this script: the site, its pools, and how the company's own numbers are spelled. */

/** A number in its parts, digits alone: `7`, `8`, `4951234567`. */
export interface Parts {
  country: string;
  leads: string[]; // what may be dialled before the national number inside the country
  national: string;
  old: string[]; // spellings replaced whole; `N` is the national number, `x` a digit or the letter
  within?: string; // selector; elsewhere it is another number
}

export interface PoolConfiguration {
  id: string;
  replaces: Parts[]; // the company's own numbers that this pool stands in for
  selector: string; // elements that show the number whatever is written there; may be empty
  on_request: boolean;
}

export interface Configuration {
  site: string;
  pools: PoolConfiguration[];
  exclude: string; // selector of what is never touched; may be empty
  consent: boolean; // the visitor has to agree before anything is kept of them
  base: string; // the server's address, for a script that cannot see where it came from
  labels: string[]; // parameters of an address that say who sent the visitor, besides utm_…
  landing: string[]; // texts that the site's rules look for in the landing address
}

/** Leased, static or none: what the server answers for one pool. */
export interface Numbered {
  lease_id: string | null;
  number: string | null; // E.164
  display: string | null;
  parts: Parts | null;
}

/** By pool. */
export type Numbers = Record<string, Partial<Numbered> | null>;

/** A pool on this page. */
export interface Pool extends PoolConfiguration {
  number: string; // E.164 now shown; empty: the company's own
  display: string; // the same for people
  parts?: Parts | null; // the same for reading
  lease: string; // empty: none
  until?: number; // so long the lease lasts if nothing more is heard, milliseconds since 1970
  former: string[]; // what was shown before, E.164: it may still stand somewhere
  asked?: boolean; // the server was asked, or is about to be
}

/** Of pools that stand in for the same, the one whose number is shown: the visitor's own before a static one. */
export function chosen(rivals: Pool[]): Pool | undefined {
  const having = rivals.filter(({ number }) => number);
  return having.find(({ lease }) => lease) || having[0];
}
