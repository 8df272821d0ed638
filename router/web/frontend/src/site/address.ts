/* The address that brought the visitor, with the words that say who sent them and none of what else it carries. */

import type { Configuration } from "./configuration";
import { LONGEST_ADDRESS, LONGEST_PAGE } from "./limits";
import { attempt } from "./scanning";

interface Entry {
  url: string | null;
  index: number;
}

export interface Navigation extends EventTarget {
  entries(): Entry[];
  currentEntry: Entry | null;
}

// where the browser has none, an element with this id or a variable of the page's may be there
const found = (window as unknown as { navigation?: Navigation }).navigation;
export const navigation = found && typeof found.entries === "function" ? found : undefined;

/** The page as a visitor would call it: applications in one page may name theirs behind a #. */
export const route = (): string =>
  /^#!?\//.test(location.hash)
    ? location.pathname.replace(/\/$/, "") + location.hash.replace(/^#!?|\?.*/g, "")
    : location.pathname;

export interface Addresses {
  landing(first: boolean, waited: boolean): string;
  cut(address: string): string;
}

/** How addresses of this site are read. */
export function addresses({ labels, landing: rules }: Configuration): Addresses {
  const isLabel = (pair: string): boolean => {
    let said = pair.toLowerCase();
    attempt(() => (said = decodeURIComponent(said)));
    const word = said.split("=")[0]!.replace(/^\?|^amp;|\[\]$/g, "");
    return /^utm_/.test(word) || labels.includes(word) || rules.some((rule) => reads(rule.toLowerCase(), said));
  };
  const reads = (rule: string, pair: string): boolean => pair.includes(rule) || rule.includes(pair.replace(/=.*/, "="));
  const kept = (part: string): string => {
    const pairs = part.slice(1).split(/[?&]/).filter(isLabel);
    if (part.length > LONGEST_PAGE) pairs.sort((one, other) => one.length - other.length); // the last may be cut off
    return pairs.join("&");
  };

  /** The address with its labels alone, wherever they are in it. */
  function cut(address: string): string {
    let said = "";
    attempt(() => {
      const { origin, pathname, search, hash } = new URL(address);
      const page = origin === "null" ? address.split(/[?#]/)[0] : origin + pathname;
      const [query, fragment] = [kept(search), kept(hash)];
      said = page!.slice(0, LONGEST_PAGE) + (query && `?${query}`) + (fragment && `#${fragment}`);
    });
    return said.slice(0, LONGEST_ADDRESS);
  }

  /** Where the visitor landed: other scripts may have cleaned the address, or consent may have come pages later. */
  function landing(first: boolean, waited: boolean): string {
    const now = cut(location.href);
    const before: string[] = [];
    attempt(() => {
      const [loaded] = performance.getEntriesByType("navigation");
      if (!first) return;
      if (loaded && new URL(loaded.name).pathname === location.pathname) before.push(loaded.name);
      if (!waited || !navigation || !navigation.currentEntry) return;
      const entries = navigation.entries().slice(0, navigation.currentEntry.index).reverse();
      before.push(...entries.map(({ url }) => url || ""));
    });
    return [now, ...before.map(cut)].find((address) => /[?#]/.test(address)) || now;
  }

  return { landing, cut };
}
