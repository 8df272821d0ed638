/* What the page's own analytics and the site's owner know of the visitor. Cookies are read at once, for nothing waits;
what Google's and Yandex's scripts answer later is told as soon as it is known. */

import { LONGEST_PARAMETER, MOST_PARAMETERS } from "./limits";
import { attempt } from "./scanning";

export interface Identity {
  ga_client_id?: string;
  ga_session_id?: string;
  ym_client_id?: string;
}

type Command = (...given: unknown[]) => void;

interface Analytics {
  dataLayer?: unknown[];
  google_tag_manager?: object;
  gtag?: Command;
  ym?: Command & { a?: ArrayLike<unknown>[] };
  ringtraceParameters?: object;
}

const analytics = window as unknown as Analytics;
const learned: Identity = {};
const asked = new Set<unknown>(); // streams and counters

const found = (pattern: RegExp, text: string): string | undefined => (pattern.exec(text) || [])[1];

/** What is known now. */
export function identity(): Identity {
  const known: Identity = {};
  attempt(() => {
    const cookies = document.cookie.split("; "); // a sandbox has none, and says so with an error
    known.ga_client_id = clientId(cookies);
    known.ym_client_id = cookies.map((cookie) => found(/^_ym_uid=(.*)/, cookie)).find(Boolean);
    known.ga_session_id = session(cookies);
  });
  return { ...ids(known), ...learned };
}

/** `GA1.1.<client ID>`, behind a name that may have a prefix. The ID may be the page's own or AMP's. */
function clientId(cookies: string[]): string | undefined {
  const own = cookies.filter((cookie) => /^_ga=/.test(cookie));
  const named = [...own, ...cookies.filter((cookie) => /^[^=]+_ga=/.test(cookie))];
  return named
    .map((cookie) => found(/=GA\d\.[\d-]+\.(.+)/, cookie) || found(/^_ga=.*?(\d+\.\d+)$/, cookie))
    .find(Boolean);
}

/** The session of the page's own stream, else of the stream seen last: `GS1.1.<session>.<n>.<engaged>.<seen>…`,
`GS2.1.s<session>$o<n>$t<seen>…`. Behind the version there may be 1-2 instead of 1: the depth of the cookie's path. */
function session(cookies: string[]): string | undefined {
  let newest = 0;
  let newestId: string | undefined;
  const own = streams().map((name) => `_ga_${name.slice(2)}=`);
  for (const cookie of cookies) {
    const id = found(/_ga_.*?=GS(?:1\.[\d-]+\.|2.*?(?:[.$]|%24)s)(\d+)/, cookie);
    let seen = +(found(/=GS(?:1\.[\d-]+(?:\.\d+){3}\.|2.*?(?:[.$]|%24)t)(\d+)/, cookie) || 1);
    if (own.some((name) => cookie.includes(name))) seen += 1e12;
    if (id && seen > newest) [newest, newestId] = [seen, id];
  }
  return newestId;
}

/** The GA4 streams that the page is configured for. */
function streams(): string[] {
  const configured = events().filter((event) => event && event[0] === "config").map((event) => String(event[1]));
  return [...Object.keys(analytics.google_tag_manager || {}), ...configured].filter((name) => /^G-/.test(name));
}

const events = (): ArrayLike<unknown>[] =>
  (Array.isArray(analytics.dataLayer) ? analytics.dataLayer : []) as ArrayLike<unknown>[];

/** Ask the analytics scripts that are here by now, each once; `tell` is called whenever one answers. */
export function learn(tell: () => void): void {
  const heard = (key: string) => (value: unknown) =>
    attempt(() => {
      Object.assign(learned, ids({ [key]: String(value) }));
      tell();
    });
  const { ym } = analytics;
  const layer = events();
  const gtag: Command =
    analytics.gtag ||
    function () {
      layer.push(arguments); // the arguments object itself is what Google's script takes for a command
    };
  const [stream] = streams();
  if (stream && isNew(stream))
    for (const what of ["client_id", "session_id"]) attempt(gtag, "get", stream, what, heard(`ga_${what}`));
  const loaded = Object.keys(window).map((name) => found(/^yaCounter(\d+)$/, name));
  const counter = [...loaded, ...[...((ym && ym.a) || [])].map((command) => command[0])].find(Boolean);
  if (ym && counter && isNew(counter)) attempt(ym, +(counter as string), "getClientID", heard("ym_client_id"));
}

const isNew = (name: unknown): boolean => !asked.has(name) && !!asked.add(name);

const ids = (found: Identity): Identity =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => /^[\w.-]+$/.test(value || "")));

/** What the owner's page adds: data-… of our elements, and `window.ringtraceParameters`, as far as they can be read. */
export function parameters(scripts: HTMLElement[]): Record<string, string> {
  const read: Record<string, string> = {};
  for (const source of [...scripts.map(({ dataset }) => dataset), analytics.ringtraceParameters || {}] as object[])
    for (const name of Object.keys(source).slice(0, MOST_PARAMETERS))
      attempt(() => {
        if (!OPTIMISERS.test(name)) read[name] = String(source[name as keyof object]).slice(0, LONGEST_PARAMETER);
      });
  return read;
}

/** Attributes by which owners keep optimisers off our line. */
const OPTIMISERS = /^(?:ringtrace|cfasync|noOptimize|noMinify|noDefer|skipMoving)$/;
